// Package remote is a cloud as programs see it that know no contract: commands by name, lists with all their pages, and jobs that
// are waited for. Whatever speaks CloudStack's API will do, so it leans on nothing that only Virga says.
package remote
