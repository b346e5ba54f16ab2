package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The pages for who uses Virga do what they say: in the folder of a new sandbox, their blocks of sh, python and go are run in order,
// and what stands in a block of text is what the block above it has printed. Blocks of another language, or none, are to look at.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"README.md", "docs/ci.md", "docs/how-to/using-*.md", "docs/how-to/measuring-*.md", "docs/tutorial/*.md", "docs/concepts/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", "..", pattern))
		must(t, err)
		if len(files) == 0 {
			t.Errorf("there is no %s", pattern)
		}
		for _, file := range files {
			blocks := blocksOf(t, file)
			if len(blocks) == 0 {
				continue // an index
			}
			t.Run(strings.TrimPrefix(filepath.ToSlash(file), "../../"), func(t *testing.T) {
				t.Parallel()
				runPage(t, blocks)
			})
		}
	}
}

// block is one of a page's that is run, or compared.
type block struct {
	place, language, text string
}

var (
	fence   = regexp.MustCompile("(?ms)^```(\\w*)[^\n]*\n(.*?)^```$")
	foreign = regexp.MustCompile(`(?m)^(?:from|import) cs\b`)
)

func blocksOf(t *testing.T, file string) []block {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	var all []block
	for _, m := range fence.FindAllSubmatchIndex(text, -1) {
		b := block{
			place:    fmt.Sprintf("%s:%d", file, strings.Count(string(text[:m[0]]), "\n")+1),
			language: string(text[m[2]:m[3]]), text: string(text[m[4]:m[5]]),
		}
		switch b.language {
		case "sh", "python", "go", "text":
			all = append(all, b)
		}
	}
	return all
}

func runPage(t *testing.T, blocks []block) {
	r := &reader{t: t, dir: t.TempDir(), going: map[string]*interpreter{}}
	for _, b := range blocks {
		switch {
		case b.language == "python" && foreign.MatchString(b.text):
			r.python = python(t, "python-cs", "cs")
		case b.language == "python" && r.python == "":
			r.python = python(t, "python", "")
		case strings.Contains(b.text, "curl "):
			needs(t, "curl", "curl", "openssl")
		}
	}
	p := launch(t, "dev", "--listen", "127.0.0.1:0", "--data", filepath.Join(r.dir, "virga-data"))
	p.until("the credentials", func() bool { return p.read(filepath.Join(r.dir, "virga-data", "credentials.json")) == nil })
	at, err := url.Parse(p.Creds.Endpoint)
	must(t, err)
	path, err := binary()
	must(t, err)
	must(t, os.Symlink(path, filepath.Join(r.dir, "virga")))
	r.env = []string{"HOME=" + p.Home, "PATH=" + r.dir + ":" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}

	var printed string
	for _, b := range blocks {
		b.text = strings.ReplaceAll(b.text, "127.0.0.1:8080", at.Host)
		if b.language != "text" {
			printed = r.run(b)
		} else if !alike(printed, b.text) {
			t.Errorf("%s: what was printed is not what the page says:\n%s", b.place, printed)
		}
	}
	for _, language := range []string{"sh", "python"} {
		r.finish(language)
	}
	p.stop(os.Interrupt)
}

// reader does what a page says, in a folder. Blocks of one language go on where the one before them ended.
type reader struct {
	t      *testing.T
	dir    string
	env    []string
	python string
	blocks int
	going  map[string]*interpreter
}

// interpreter reads names of files, runs each, and says a zero byte when it is done. It ends at the first that fails.
type interpreter struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

const (
	bashLoop = `set -euo pipefail; while IFS= read -r file; do source "$file" </dev/null; printf '\0'; done`

	pythonLoop = `
import sys
scope = {"__name__": "__main__"}
for line in sys.stdin:
    file = line.rstrip("\n")
    with open(file, encoding="utf-8") as f:
        exec(compile(f.read(), file, "exec"), scope)
    print(end="\0", flush=True)
`
)

// run gives what a block prints.
func (r *reader) run(b block) string {
	r.t.Helper()
	r.blocks++
	file := filepath.Join(r.t.TempDir(), fmt.Sprintf("block%d.%s", r.blocks, b.language))
	must(r.t, os.WriteFile(file, []byte(b.text), 0o600))
	if b.language == "go" {
		return r.program(b, file)
	}
	i := r.interpreter(b.language)
	_, err := io.WriteString(i.in, file+"\n")
	must(r.t, err)
	out, err := i.out.ReadString(0)
	if err != nil {
		r.t.Fatalf("%s: it fails:\n%s", b.place, out)
	}
	return strings.TrimSuffix(out, "\x00")
}

// program builds a program as one would in a clone of this repository, and runs it in the folder.
func (r *reader) program(b block, file string) string {
	r.t.Helper()
	build := exec.Command("go", "build", "-o", file+".bin", file)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		r.t.Fatalf("%s: %v\n%s", b.place, err, out)
	}
	cmd := exec.Command(file + ".bin")
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", b.place, err, out)
	}
	return string(out)
}

func (r *reader) interpreter(language string) *interpreter {
	r.t.Helper()
	if i := r.going[language]; i != nil {
		return i
	}
	cmd := exec.Command("bash", "-c", bashLoop)
	if language == "python" {
		cmd = exec.Command(r.python, "-u", "-c", pythonLoop)
	}
	cmd.Dir, cmd.Env = r.dir, r.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	must(r.t, err)
	out, err := cmd.StdoutPipe()
	must(r.t, err)
	cmd.Stderr = cmd.Stdout
	must(r.t, begin(cmd))
	kill := func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with what it has left in the background
	limit := time.AfterFunc(5*time.Minute, kill)
	r.t.Cleanup(func() { limit.Stop(); kill(); _ = cmd.Wait() })
	r.going[language] = &interpreter{cmd, in, bufio.NewReader(out)}
	return r.going[language]
}

func (r *reader) finish(language string) {
	i := r.going[language]
	if i == nil {
		return
	}
	must(r.t, i.in.Close())
	if err := i.cmd.Wait(); err != nil {
		r.t.Errorf("at the end of the %s: %v", language, err)
	}
}

// alike tells whether a text is as a page says: three dots stand for anything in a line or, alone, for any lines, and spaces are not
// counted.
func alike(got, want string) bool {
	var pattern strings.Builder
	for line := range strings.Lines(want) {
		line = strings.Join(strings.Fields(line), " ")
		if line == "..." {
			pattern.WriteString(`(?s:.*\n)?`)
		} else {
			pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, `.*`) + `\n`)
		}
	}
	var squeezed strings.Builder
	for line := range strings.Lines(got) {
		squeezed.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return regexp.MustCompile("^" + pattern.String() + "$").MatchString(squeezed.String())
}

func TestAlike(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		got, want string
		like      bool
	}{
		{"a  b\nc\n", "a b\nc\n", true},
		{"a b\n", "a\n", false},
		{"id 5-6 x\n", "id ... x\n", true},
		{"a\nb\nc\n", "a\n...\nc\n", true},
		{"a\nc\n", "a\n...\nc\n", true},
		{"a\nb\n", "a\n", false},
		{"a.b", "a.b\n", true},
		{"axb\n", "a.b\n", false},
	} {
		if got := alike(row.got, row.want); got != row.like {
			t.Errorf("%q as %q: %v, want %v", row.got, row.want, got, row.like)
		}
	}
}
