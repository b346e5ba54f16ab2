package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkStart tells how long "virga dev" takes from the start of the process to its first answer, on an empty folder and
// on the data of an earlier run, and how much memory it has when it is idle. The first answer comes with the sandbox ready.
func BenchmarkStart(b *testing.B) {
	for _, name := range []string{"empty", "again"} {
		b.Run(name, func(b *testing.B) {
			var took time.Duration
			var rss float64
			for range b.N {
				b.StopTimer()
				dir, err := os.MkdirTemp(".", "bench-") // a real disk: /tmp may be memory
				if err != nil {
					b.Fatal(err)
				}
				if name == "again" {
					startDev(b, "--data", filepath.Join(dir, "data")).stop(os.Interrupt)
				}
				b.StartTimer()
				p := startDev(b, "--data", filepath.Join(dir, "data"))
				b.StopTimer()
				took += p.Took
				rss += p.rss()
				p.stop(os.Interrupt)
				_ = os.RemoveAll(dir)
			}
			b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ms/first-answer")
			b.ReportMetric(rss/float64(b.N), "MB-idle")
		})
	}
}

// BenchmarkCommandLine tells how long a command line takes as a process of its own, with the server's part, and how much of a
// processor it needs itself.
func BenchmarkCommandLine(b *testing.B) {
	p := startDev(b)
	for _, line := range []string{"list zones", "complete -- list ", "complete -- deploy virtualmachine zoneid="} {
		b.Run(line, func(b *testing.B) {
			var cpu time.Duration
			for range b.N {
				cpu += p.commandLine(strings.Split(line, " ")...).cpu
			}
			b.ReportMetric(cpu.Seconds()*1000/float64(b.N), "ms-cpu")
		})
	}
}
