// Package console shows machines' screens in browsers: a page with noVNC, which speaks to the screen over a websocket on the API's own port.
// What stands below files/novnc is noVNC's, as it is published, under the Mozilla Public License 2.0; files/novnc/LICENSE.txt says more.
package console
