// Package console lets users see and use the screens of machines. Who may is given a ticket, which opens a connection once: browsers carry it
// in the address of a page, where it would lie about if it were good for more.
package console
