package db_test

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/db"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://virga:s3cret@db:5432/virga":                                   "postgres://virga@db:5432/virga",
		"postgres://virga:a@s3cret@db/virga":                                      "postgres://virga@db/virga",
		"postgresql://db/virga?user=virga&password=s3cret&sslmode=require":        "postgresql://db/virga?sslmode=require&user=virga",
		"postgres://db/virga?sslpassword=s3cret&passfile=/s3cret&PASSWORD=s3cret": "postgres://db/virga",
		"postgres://virga:s3cret@db:port/virga":                                   "postgres://…",
		"postgres://virga:s3cret%zz@db/virga":                                     "postgres://…",
		"postgres://virga@db/virga?a=%zz&password=s3cret":                         "postgres://virga@db/virga",
		"postgres://virga@db/virga?a;password=s3cret":                             "postgres://virga@db/virga",
		"postgres://virga@db/virga#s3cret":                                        "postgres://virga@db/virga",
		"host=db user=virga password=s3cret":                                      "…",
		"host=db password='s3cret://'":                                            "…",
		"postgres://virga:12/s3cret@db/virga":                                     "postgres://…",
		"postgres://virga:12?s3cret@db/virga":                                     "postgres://…",
		"postgres:virga:s3cret@db":                                                "…",
		"/srv/a=b/virga.db":                                                       "/srv/a=b/virga.db",
		"/var/lib/virga/virga.db":                                                 "/var/lib/virga/virga.db",
	} {
		got := db.Redact(url)
		if got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
		if strings.Contains(got, "s3cret") {
			t.Errorf("%s: the secret is in %s", url, got)
		}
	}
}
