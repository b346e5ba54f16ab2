// Package provider knows who can provide which network services: the words for providers, services and capabilities, and what goes
// together. What is switched on where is network's to know.
package provider
