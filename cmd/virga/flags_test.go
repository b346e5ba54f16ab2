package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What can't work is refused before anything is opened, in a sentence that says what would be right.
func TestFlagsAreChecked(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ flag, value, want string }{
		{"--listen", "8080", "127.0.0.1:8080 for instance"},
		{"--listen", "localhost", "127.0.0.1:8080 for instance"},
		{"--listen", "127.0.0.1:99999", "127.0.0.1:8080 for instance"},
		{"--database", "mysql://root:s3cret@db/virga", "want postgres://user:password@host/name"},
		{"--integration-port", "-1", "from 1 to 65535"},
		{"--integration-port", "65536", "from 1 to 65535"},
		{"--expunge-delay", "-1s", "want 0s"},
		{"--session-timeout", "59s", "want 1m or longer"},
		{"--jobs-kept", "0s", "want 1m or longer"},
		{"--hosts", "-1", "from 0 to 100000"},
		{"--hosts", "many", "or kvm"},
		{"--hosts", "100001", "from 0 to 100000"},
		{"--data", "", "want the name of a folder"},
		{"--name", "", "want a name"},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		p := launch(t, "dev", "--data="+dir, row.flag+"="+row.value)
		<-p.done
		if out := p.out.String(); p.cmd.ProcessState.ExitCode() == 0 || !strings.Contains(out, row.want) || strings.Contains(out, "s3cret") {
			t.Errorf("%s=%s: exit status %d, %s", row.flag, row.value, p.cmd.ProcessState.ExitCode(), out)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s=%s: the folder was made", row.flag, row.value)
		}
	}
}

// So it is with flags that don't go together with real machines, and with a machine that can't be a host.
func TestFlagsOfRealHosts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ flag, want string }{
		{"--outside=192.168.231.0/24", "want this machine's address"},
		{"--outside=192.168.231.1/25", "/24 or larger"},
		{"--outside=192.168.231.20/24", "gives out 192.168.231.10 to 192.168.231.250"},
		{"--data=memory", "want a folder"},
		{"--basic", "leave them out with --hosts kvm"},
		{"--database=postgres://a@b/c", "leave it out with --hosts kvm"},
		{"--listen=127.0.0.1:0", "qemu (exec: \"qemu-system-x86_64\""},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		p := launchBy(t, []string{"env", "PATH=/nowhere"}, "dev", "--hosts=kvm", "--data="+dir, row.flag)
		<-p.done
		if out := p.out.String(); p.cmd.ProcessState.ExitCode() == 0 || !strings.Contains(out, row.want) {
			t.Errorf("%s: exit status %d, %s", row.flag, p.cmd.ProcessState.ExitCode(), out)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: the folder was made", row.flag)
		}
	}
}

// A sandbox may have no hosts. A later run that asks for more gets them, one that asks for fewer says how many there are.
func TestDevSaysHowManyHostsThereAre(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	for _, row := range []struct{ hosts, want string }{
		{"0", "no hosts yet"}, {"3", "3 simulated hosts"}, {"1", "3 simulated hosts"},
	} {
		p := startDev(t, "--data", dir, "--hosts", row.hosts, "--name", "dev-"+row.hosts)
		p.until(row.want, func() bool { return strings.Contains(p.out.String(), row.want) })
		p.stop(os.Interrupt)
	}
}

// Who waits for the credentials must not be given those of an earlier run, even when this one fails.
func TestDevRemovesStaleCredentials(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "credentials.json")
	must(t, os.WriteFile(file, []byte("{}"), 0o600))
	data := filepath.Join(t.TempDir(), "data")
	must(t, os.Mkdir(data, 0o700))
	must(t, os.WriteFile(filepath.Join(data, "virga.db"), []byte(strings.Repeat("not a database ", 1000)), 0o600))
	p := launch(t, "dev", "--data", data, "--listen", "127.0.0.1:0", "--credentials-file", file)
	<-p.done
	if out := p.out.String(); !strings.Contains(out, "give another --data") {
		t.Errorf("a file that is no database:\n%s", out)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the old credentials are still there")
	}
}
