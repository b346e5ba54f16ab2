// Package auth knows who calls: the Caller that a facade establishes, by API key and signature or by session, with the projects that it
// reaches, and the Scope of rows that the caller may see and touch. Whether a caller's role may use a command is the facade's question;
// whether a row is the caller's to touch is the question of the service that loads it, and both are answered with what is declared here.
package auth
