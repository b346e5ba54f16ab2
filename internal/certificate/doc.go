// Package certificate keeps the certificates that operators upload, with their chains and private keys, and chooses among them the one
// that the API's HTTPS presents: to who asks for a name below a certificate's suffix, that certificate. Private keys are sealed in the
// database and read into memory only.
package certificate
