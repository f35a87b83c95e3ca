package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// Every setting that the files for deployment name is one that purser serve has.
func TestDeploymentNamesSettings(t *testing.T) {
	help, err := exec.Command(program(t), "serve", "--help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("../../deploy/*")
	if err != nil || len(names) < 4 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bPURSER_([A-Z_]+)\b`).FindAllStringSubmatch(string(text), -1) {
			flag := "--" + strings.ToLower(strings.ReplaceAll(m[1], "_", "-")) + " "
			if m[1] != "KEY" && m[1] != "NAME" && !strings.Contains(string(help), flag) { // the key is in the environment only; NAME stands for any
				t.Errorf("%s: there is no setting %s", name, m[0])
			}
		}
	}
}

// What the compose file, the balancer's settings and the image say of each other is so: services, ports, volumes, networks, files, and that
// a node has the time to drain.
func TestComposeFits(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("../../deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	first := func(pattern, text string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("nothing like %s", pattern)
		}
		return m[1]
	}
	var c struct {
		Services map[string]struct {
			Image       string
			Build       struct{ Context, Dockerfile string }
			Environment map[string]string
			Ports       []string
			Volumes     []string
			Networks    []string
			Grace       string `yaml:"stop_grace_period"`
			DependsOn   any    `yaml:"depends_on"`
		}
		Networks map[string]struct {
			IPAM struct {
				Config []struct{ Subnet string }
			}
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal([]byte(read("compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	docker, proxy := read("Dockerfile"), read("haproxy.cfg")
	port := first(`PURSER_LISTEN=0\.0\.0\.0:(\d+)`, docker)
	if first(`EXPOSE (\d+)`, docker) != port {
		t.Error("the image opens another port than it listens on")
	}
	var behind []string
	for _, m := range regexp.MustCompile(`(?m)^\s+server (\S+) (\S+):(\d+)$`).FindAllStringSubmatch(proxy, -1) {
		if behind = append(behind, m[2]); m[3] != port {
			t.Errorf("the balancer looks for %s at port %s, it listens on %s", m[2], m[3], port)
		}
	}
	var nodes []string
	for name, s := range c.Services {
		for _, n := range s.Networks {
			if _, there := c.Networks[n]; !there {
				t.Errorf("%s: there is no network %s", name, n)
			}
		}
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if _, there := c.Volumes[source]; there {
				continue
			}
			if _, err := os.Stat(filepath.Join("../../deploy", source)); err != nil || !strings.HasPrefix(source, "./") {
				t.Errorf("%s: there is no volume or file %s", name, source)
			}
		}
		if wanted, ok := s.DependsOn.([]any); ok {
			for _, w := range wanted {
				if _, there := c.Services[w.(string)]; !there {
					t.Errorf("%s depends on %v, which is not there", name, w)
				}
			}
		}
		if s.Build.Dockerfile == "" {
			continue
		}
		nodes = append(nodes, name)
		if _, err := os.Stat(filepath.Join("../../deploy", s.Build.Context, s.Build.Dockerfile)); err != nil {
			t.Error(err)
		}
		if s.Environment["PURSER_TRUSTED_PROXY"] != c.Networks["inside"].IPAM.Config[0].Subnet {
			t.Errorf("%s trusts another network than its own", name)
		}
		if database := first(`@([a-z]+)/`, s.Environment["PURSER_DATABASE"]); c.Services[database].Image == "" {
			t.Errorf("%s: there is no database %s", name, database)
		}
		grace, err := time.ParseDuration(s.Grace)
		notice, wrong := time.ParseDuration(s.Environment["PURSER_DRAIN_NOTICE"])
		if err != nil || wrong != nil || grace < notice+30*time.Second { // --drain is 30 s
			t.Errorf("%s: %s to stop in, of which %s are its notice, %v, %v", name, grace, notice, err, wrong)
		}
	}
	slices.Sort(nodes)
	if slices.Sort(behind); len(nodes) != 3 || !slices.Equal(behind, nodes) {
		t.Errorf("the balancer has %v behind it, nodes are %v", behind, nodes)
	}
	if bind := first(`bind :(\d+)`, proxy); !strings.HasSuffix(c.Services["balancer"].Ports[0], ":"+bind) {
		t.Errorf("the balancer is at port %s, opened are %v", bind, c.Services["balancer"].Ports)
	}
}
