package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
