package auth

import (
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/virga-cloud/virga/internal/secret"
)

const (
	codePeriod = 30 // seconds
	codeDigits = otp.DigitsSix
	// codeSkew is how many codes before and after the present one are taken, too: clocks differ, and people are slow.
	codeSkew = 1
)

// CodeStep tells whether code is one of the present ones, and which: the number of its thirty seconds since 1970.
func CodeStep(key, code secret.String, now time.Time) (step int64, fits bool) {
	text := code.Reveal()
	if len(text) != codeDigits.Length() {
		return 0, false
	}
	present := now.Unix() / codePeriod
	for at := present - codeSkew; at <= present+codeSkew; at++ {
		ok, err := hotp.ValidateCustom(text, uint64(at), key.Reveal(), hotp.ValidateOpts{Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
		if err == nil && ok {
			step, fits = at, true
		}
	}
	return step, fits
}
