// Package upload takes in templates, ISOs and volumes: the commands that announce them, and the addresses on the API's own port that they give.
package upload
