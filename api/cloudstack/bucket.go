package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// AddImageStoreS3 adds an image store that is a bucket.
var AddImageStoreS3 = api.Call[AddImageStoreS3In, ImageStore]{
	Name: "addImageStoreS3", Noun: "Image store", Role: api.RootOnly, Object: "imagestore", Event: "IMAGE.STORE.CREATE", Creates: true, Since: "4.7.0",
	Doc: "Adds an image store for all zones: a bucket of S3, in which templates are kept. It is tried out first: something is put there, got and " +
		"removed. The keys stay with the servers, encrypted; hosts get links. For one zone, or a region by name: addImageStore.",
}

// AddImageStoreS3In says what bucket.
type AddImageStoreS3In struct {
	api.Once
	AccessKey         string `api:"accesskey,required,secret" doc:"The access key. It is kept encrypted and never shown."`
	SecretKey         string `api:"secretkey,required,secret" doc:"The secret key. It is kept encrypted and never shown."`
	Endpoint          string `api:"endpoint,required" doc:"Where the bucket is: a host with or without a port."`
	Bucket            string `api:"bucket,required" doc:"The name of the bucket, which is there already."`
	HTTPS             *bool  `api:"usehttps" doc:"Whether it is asked by HTTPS (true, the default) or by HTTP."`
	ConnectionTimeout int    `api:"connectiontimeout" doc:"How many milliseconds a connection may take to come about; 20000 unless given."`
	SocketTimeout     int    `api:"sockettimeout" doc:"How many milliseconds an answer may take to begin; 60000 unless given."`
	ConnectionTTL     int    `api:"connectionttl" doc:"How many milliseconds a connection is kept that nobody uses; 90000 unless given."`
	MaxErrorRetry     int    `api:"maxerrorretry" doc:"How often a request is made that comes to nothing; 5 times unless given."`
	TCPKeepAlive      *bool  `api:"usetcpkeepalive" doc:"Whether connections are asked now and then if the other end is there still (true, the default)."`
	Signer            string `api:"s3signer" doc:"How requests are signed: AWSS3V4SignerType, which is the only way that is known here."`
}

// AddS3 adds an image store that is a bucket, under CloudStack 4.1's name.
var AddS3 = api.Call[AddS3In, S3]{
	Name: "addS3", Noun: "Image store", Role: api.RootOnly, Object: "s3", Event: "IMAGE.STORE.CREATE", Creates: true,
	Doc: "Adds an image store for all zones: a bucket of S3. See addImageStoreS3.",
}

// AddS3In says what bucket.
type AddS3In struct {
	api.Once
	AccessKey         string `api:"accesskey,required,secret" doc:"The access key. It is kept encrypted and never shown."`
	SecretKey         string `api:"secretkey,required,secret" doc:"The secret key. It is kept encrypted and never shown."`
	Endpoint          string `api:"endpoint" doc:"Where the bucket is: a host with or without a port; s3.amazonaws.com unless given."`
	Bucket            string `api:"bucket,required" doc:"The name of the bucket, which is there already."`
	HTTPS             *bool  `api:"usehttps" doc:"Whether it is asked by HTTPS (true, the default) or by HTTP."`
	ConnectionTimeout int    `api:"connectiontimeout" doc:"How many milliseconds a connection may take to come about; 20000 unless given."`
	SocketTimeout     int    `api:"sockettimeout" doc:"How many milliseconds an answer may take to begin; 60000 unless given."`
	MaxErrorRetry     int    `api:"maxerrorretry" doc:"How often a request is made that comes to nothing; 5 times unless given."`
}

// ListS3s shows image stores that are buckets.
var ListS3s = api.List[ListS3sIn, S3]{
	Name: "listS3s", Noun: "Image store", Role: api.RootOnly, Object: "s3",
	Doc: "Lists the image stores that are buckets of S3. See listImageStores.",
}

// ListS3sIn chooses buckets.
type ListS3sIn struct {
	api.Paging
}

// S3 is an image store that is a bucket, as CloudStack 4.1 showed it.
type S3 struct {
	ID                uid.ImageStore `json:"id" doc:"The ID of the store."`
	Endpoint          string         `json:"endpoint" doc:"Where the bucket is."`
	Bucket            string         `json:"bucket" doc:"The name of the bucket."`
	HTTPS             int            `json:"usehttps" doc:"1 where it is asked by HTTPS, 0 where by HTTP."`
	ConnectionTimeout int64          `json:"connectiontimeout,omitempty" doc:"How many milliseconds a connection may take to come about, if that was said."`
	SocketTimeout     int64          `json:"sockettimeout,omitempty" doc:"How many milliseconds an answer may take to begin, if that was said."`
	MaxErrorRetry     int            `json:"maxerrorretry,omitempty" doc:"How often a request is made that comes to nothing, if that was said."`
	AccessKey         string         `json:"accesskey,omitempty" doc:"Absent: keys are not shown."`
	SecretKey         string         `json:"secretkey,omitempty" doc:"Absent: keys are not shown."`
	Pending
}
