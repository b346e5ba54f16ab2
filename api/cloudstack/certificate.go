package cloudstack

import "github.com/virga-cloud/virga/api"

// UploadCustomCertificate gives the API's HTTPS a certificate.
var UploadCustomCertificate = api.Job[UploadCustomCertificateIn, CustomCertificate]{
	Name: "uploadCustomCertificate", Noun: "Certificate", Role: api.RootOnly, Object: "customcertificate", Event: "UPLOAD.CUSTOM.CERTIFICATE",
	Doc: "Keeps a certificate that the API's HTTPS presents to who asks for a name below its domainsuffix. The rest of its chain stands behind it " +
		"in certificate, or is uploaded before it, part by part, the root first. A certificate in whose chain something is missing, that is " +
		"out of time, for other names or another key's, is refused. The server that is asked presents it at once, every other one within two " +
		"seconds; servers that serve plain HTTP present nothing.",
}

// UploadCustomCertificateIn is the certificate.
type UploadCustomCertificateIn struct {
	Certificate  string `api:"certificate,required,max=65535,lines" doc:"The certificate, in PEM, as it is or URL-encoded once more."`
	DomainSuffix string `api:"domainsuffix,required" doc:"The domain below which its names lie, example.org for instance."`
	PrivateKey   string `api:"privatekey,max=65535,secret,lines" doc:"The certificate's private key, in PEM and without a password. A certificate without one is a part of a chain."`
	Name         string `api:"name" doc:"The name of a part of a chain. A part of the same name is replaced."`
	ID           int    `api:"id" doc:"The place of a part in its chain: the root's is 1, that of what it has signed 2."`
}

// CustomCertificate says what came of an upload.
type CustomCertificate struct {
	Message string `json:"message" doc:"What came of it."`
	Pending
}
