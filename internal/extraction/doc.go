// Package extraction lets users download what they own: templates and ISOs as they are in the stores of images, and volumes as copies there,
// which are made for it and go again. Who asks is given an address that names one thing and holds for a while.
package extraction
