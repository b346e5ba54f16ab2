// Package owned is what the translators of all owned things do alike: whose things a list shows, and what is shown of each beside
// itself: its owner, its tags and the job that works on it, one query for each page.
package owned
