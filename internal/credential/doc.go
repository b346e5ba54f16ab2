// Package credential owns how people get into machines that exist: the password that was made for one is shown to whom it is for, and
// a machine gets another password, or other SSH keys. Which of them a machine has is in its row, and so package compute's.
package credential
