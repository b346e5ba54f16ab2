// Package router translates the commands on virtual routers.
package router
