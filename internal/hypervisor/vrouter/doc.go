// Package vrouter makes virtual routers: network namespaces with addresses, packet filters and services, each from one document
// ([hypervisor.Router]).
//
// Whatever comes, a document is applied whole: the namespace is brought from what it is to what the document says. Packet
// filters change in one step and keep their connections; what counts bytes stays; a service is started again only where what
// it was started with has changed. All of it goes on without this process: the kernel's part by itself, and the services
// (dnsmasq for addresses and names, haproxy for balancers, metadata for what guests ask of themselves) as processes of their
// own in the namespace. A process that comes later finds them by the namespace ([Routers.Recover]).
package vrouter
