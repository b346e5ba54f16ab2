// Package tinyimagetest gives tests the tiny guest. It is made once on a machine, which takes seconds, and kept among the user's
// cached files. Where it can't be made tests are skipped; VIRGA_REQUIRE=qemu (as make test sets it) makes that a failure.
package tinyimagetest
