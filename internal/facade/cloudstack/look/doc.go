// Package look is what the translators of all nouns do alike: pages, things that items name (one query for each kind and page,
// never one for each item), and one thing shown the way that lists show many.
package look
