package api

import (
	"io"
	"strconv"
	"strings"
)

// Format is how an answer is written.
type Format uint8

// The formats. XML is what a caller gets who asks for nothing.
const (
	XML Format = iota
	JSON
)

// FormatOf reads the parameter "response": json in any case is JSON, everything else is XML.
func FormatOf(response string) Format {
	if strings.EqualFold(response, "json") {
		return JSON
	}
	return XML
}

// ContentType is the header of an answer in this format.
func (f Format) ContentType() string {
	if f == JSON {
		return "application/json; charset=UTF-8"
	}
	return "text/xml; charset=UTF-8"
}

// Write writes an answer in this format. The version stands on the root of XML.
func (f Format) Write(w io.Writer, a Answer, version string) error {
	if f == JSON {
		return a.WriteJSON(w)
	}
	return a.WriteXML(w, version)
}

// Failure is an error on its way to a caller.
type Failure struct {
	Envelope string // the command's, or ErrorEnvelope
	Code     int    // the API's error code, which is the HTTP status, too
	CSCode   int    // the finer code; 0 leaves it out
	Text     string
}

// ErrorEnvelope is the envelope of errors that belong to no command.
const ErrorEnvelope = "errorresponse"

// WriteError writes an error in this format. The version stands on the root of XML.
func (f Format) WriteError(w io.Writer, e Failure, version string) error {
	if f == JSON {
		return writeErrorJSON(w, e)
	}
	out := &xmlWriter{w: w}
	out.root(e.Envelope, version)
	out.element("errorcode", strconv.Itoa(e.Code))
	if e.CSCode != 0 {
		out.element("cserrorcode", strconv.Itoa(e.CSCode))
	}
	out.element("errortext", e.Text)
	out.close(e.Envelope)
	return out.flush()
}

func writeErrorJSON(w io.Writer, e Failure) error {
	out := &jsonWriter{w: w}
	out.text(`{"` + e.Envelope + `":{"uuidList":[],"errorcode":` + strconv.Itoa(e.Code))
	if e.CSCode != 0 {
		out.text(`,"cserrorcode":` + strconv.Itoa(e.CSCode))
	}
	out.text(`,"errortext":`)
	out.string(e.Text)
	out.text("}}")
	return out.flush()
}
