package cloudtest_test

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/outside/bucket/buckettest"
	"github.com/virga-cloud/virga/uid"
)

// detailsOf are what addImageStore is told of a bucket.
func detailsOf(s *buckettest.Server, more ...string) []cs.KeyValue {
	all := []cs.KeyValue{
		{Key: "accesskey", Value: buckettest.AccessKey}, {Key: "secretkey", Value: buckettest.SecretKey}, {Key: "endpoint", Value: s.Endpoint},
		{Key: "bucket", Value: buckettest.Bucket}, {Key: "useHTTPS", Value: "false"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		all = append(all, cs.KeyValue{Key: more[i], Value: more[i+1]})
	}
	return all
}

// A bucket is an image store under three names, once it has been tried out; nothing of the trial stays.
func TestBucketsAreImageStores(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		zone := c.Sandbox(t).Zone
		one, two, three := buckettest.New(t), buckettest.New(t), buckettest.New(t)
		no := false
		own, err := api.Do(t.Context(), c.Client, cs.AddImageStore, cs.AddImageStoreIn{
			Name: "ours", Provider: "s3", ZoneID: zone, Details: detailsOf(one, "connectiontimeout", "2000", "region", "us-east-1"),
		})
		must(t, err)
		if own.Name != "ours" || own.Provider != "S3" || own.Protocol != "http" || own.Scope != "ZONE" || own.URL != "s3://"+one.Endpoint+"/images" || own.Disk != 0 {
			t.Errorf("the store is %+v", own)
		}
		for range 2 { // the second one is there already
			all, err := api.Do(t.Context(), c.Client, cs.AddImageStoreS3, cs.AddImageStoreS3In{
				AccessKey: buckettest.AccessKey, SecretKey: buckettest.SecretKey, Endpoint: two.Endpoint, Bucket: buckettest.Bucket, HTTPS: &no,
				Signer: "AWSS3V4SignerType", MaxErrorRetry: 3, TCPKeepAlive: &no,
			})
			if err == nil && (all.Scope != "REGION" || all.Name != all.URL) || err != nil && !strings.Contains(err.Error(), "already") {
				t.Errorf("the store is %+v, %v", all, err)
			}
		}
		old, err := api.Do(t.Context(), c.Client, cs.AddS3, cs.AddS3In{
			AccessKey: buckettest.AccessKey, SecretKey: buckettest.SecretKey, Endpoint: three.Endpoint, Bucket: buckettest.Bucket, HTTPS: &no, SocketTimeout: 5000,
		})
		must(t, err)
		if old.Endpoint != three.Endpoint || old.Bucket != buckettest.Bucket || old.HTTPS != 0 || old.SocketTimeout != 5000 || old.AccessKey+old.SecretKey != "" {
			t.Errorf("the bucket is %+v", old)
		}
		if all := itemsOf(t, c, cs.ListS3s, cs.ListS3sIn{}); len(all) != 3 || all[0].ID != own.ID || all[0].ConnectionTimeout != 2000 || all[2] != old {
			t.Errorf("the buckets are %+v", all)
		}
		if all := itemsOf(t, c, cs.ListImageStores, cs.ListImageStoresIn{Provider: "S3", Protocol: "http"}); len(all) != 3 {
			t.Errorf("the stores are %+v", all)
		}
		for _, s := range []*buckettest.Server{one, two, three} {
			if keys := s.Keys(t); len(keys) > 0 {
				t.Errorf("left of the trial: %v", keys)
			}
		}

		// A simulated host ignores where bytes are, and has its templates there.
		template := must1(api.Fetch(t.Context(), c.Client, cs.RegisterTemplate, cs.RegisterTemplateIn{
			Name: "t", DisplayText: "t", Format: "VHD", Hypervisor: "Simulator", URL: "http://192.0.2.1/t.vhd", ZoneID: string(zone),
			ImageStoreID: own.ID,
		}))(t).Items[0]
		settle(t, c, template.ID)
		if all := itemsOf(t, c, cs.ListTemplates, cs.ListTemplatesIn{Filter: "self", ImageStoreID: own.ID}); len(all) != 1 || all[0].ID != template.ID || !all[0].Ready {
			t.Errorf("in the store there is %+v", all)
		}
	})
}

// What can't be a bucket, or can't be used, is refused: with what is wrong, without the keys, and without a store.
func TestBucketsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	s, deaf := buckettest.New(t), buckettest.New(t)
	deaf.Down(true)
	before := len(itemsOf(t, c, cs.ListImageStores, cs.ListImageStoresIn{}))
	set := func(key, value string) func(*cs.AddImageStoreIn) {
		return func(in *cs.AddImageStoreIn) {
			for i, d := range in.Details {
				if d.Key == key {
					in.Details[i].Value = value
					return
				}
			}
			in.Details = append(in.Details, cs.KeyValue{Key: key, Value: value})
		}
	}
	const hidden = "the-wrong-secret-key"
	for word, change := range map[string]func(*cs.AddImageStoreIn){
		"SignatureDoesNotMatch":    set("secretkey", hidden),
		"NoSuchBucket":             set("bucket", "another"),
		"does not answer":          set("endpoint", deaf.Endpoint),
		"refused":                  set("endpoint", "127.0.0.1:1"),
		"want a host":              set("endpoint", "http://"+s.Endpoint),
		"can't be one's name":      set("bucket", "a/b"),
		"accesskey has to be":      set("accesskey", ""),
		"secretkey has to be":      set("secretkey", ""),
		"usehttps wants":           set("usehttps", "perhaps"),
		"is nothing that a bucket": set("token", hidden),
		"is there twice":           set("Bucket", "images"),
		"in milliseconds":          set("sockettimeout", "-1"),
		"want 0 to 20":             set("maxerrorretry", "50"),
		"s3signer":                 set("s3signer", "S3SignerType"),
		"has no url":               func(in *cs.AddImageStoreIn) { in.URL = "s3://" + s.Endpoint + "/images" },
		"add it with": func(in *cs.AddImageStoreIn) {
			in.Provider, in.URL, in.Details = "Local", "s3://"+s.Endpoint+"/images", nil
		},
		"no zone with id": func(in *cs.AddImageStoreIn) { in.ZoneID = uid.New[uid.Zone]() },
	} {
		in := cs.AddImageStoreIn{Name: "x", Provider: "S3", Details: detailsOf(s)}
		for i := range in.Details {
			in.Details[i].Key = strings.ToLower(in.Details[i].Key)
		}
		change(&in)
		_, err := api.Do(t.Context(), c.Client, cs.AddImageStore, in)
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), hidden) || strings.Contains(err.Error(), buckettest.SecretKey) {
			t.Errorf("want an error with %q: %v", word, err)
		}
	}
	if after := len(itemsOf(t, c, cs.ListImageStores, cs.ListImageStoresIn{})); after != before {
		t.Errorf("there are %d stores, and there were %d", after, before)
	}
	if keys := s.Keys(t); len(keys) > 0 {
		t.Errorf("left in the bucket: %v", keys)
	}
}
