package load

import (
	"os"
	"strconv"
	"strings"
)

// fallbackMHz is the speed of processors that do not say how fast they are.
const fallbackMHz = 2000

// SpeedMHz is the first processor's.
func SpeedMHz() int {
	if content, err := os.ReadFile("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"); err == nil {
		if khz, err := strconv.Atoi(strings.TrimSpace(string(content))); err == nil && khz > 0 {
			return khz / 1000
		}
	}
	content, _ := os.ReadFile("/proc/cpuinfo")
	if mhz, err := strconv.ParseFloat(fieldOf(string(content), "cpu MHz"), 64); err == nil && mhz > 0 {
		return int(mhz)
	}
	return fallbackMHz
}

// fieldOf gives the first word of the first line that begins with a name and a colon.
func fieldOf(text, name string) string {
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		if words := strings.Fields(value); ok && strings.TrimSpace(key) == name && len(words) > 0 {
			return words[0]
		}
	}
	return ""
}
