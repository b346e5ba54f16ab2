package api

import "fmt"

// The codes of the errors this package finds itself. They are HTTP statuses at the same time.
const (
	CodeMalformed = 430 // a map parameter that can't be taken apart
	CodeParameter = 431 // a parameter that is missing or wrong
)

// Error is a request that could not be decoded. Its text is for the caller.
type Error struct {
	Code int // CodeMalformed or CodeParameter
	Text string
}

// Error is the text for the caller.
func (e *Error) Error() string { return e.Text }

func invalid(format string, args ...any) *Error {
	return &Error{Code: CodeParameter, Text: fmt.Sprintf(format, args...)}
}

// RemoteError is an error that a server answered with.
type RemoteError struct {
	HTTPStatus int    // of the answer; 200 where a job failed after it had been accepted
	Code       int    // the API's error code; 0 where the answer had none
	CSCode     int    // the finer code; 0 where the answer had none
	Text       string // what the server said
}

// Error is the code and what the server said.
func (e *RemoteError) Error() string { return fmt.Sprintf("%s (error %d)", e.Text, e.Code) }
