// Package extract gives out templates, ISOs and volumes: the commands that ask for it, and the addresses on the API's own port that they give.
package extract
