// Package role says which commands an account's users may use. A role is an ordered list of rules, each of which allows or denies
// the commands whose names match a pattern; the first that matches decides, and a command that none matches is denied. The roles
// that every cloud has stand in the code and follow from the contract: a new command is open to them at once. What a role allows is
// answered from memory. Whose things a user of the account reaches is another question, which the type of the account answers.
package role
