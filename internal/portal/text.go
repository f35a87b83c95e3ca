package portal

import (
	"fmt"
	"strconv"
	"strings"
)

// language is one of the two that every text has.
type language int

const (
	english language = iota
	chinese
)

// tag is the language for a browser.
func (l language) tag() string { return [...]string{"en", "zh-CN"}[l] }

// wire is the language for the API.
func (l language) wire() string { return [...]string{"en_US", "zh_CN"}[l] }

// preferred reads Accept-Language as far as it matters: the first of the two that is named.
func preferred(header string) language {
	for _, part := range strings.Split(header, ",") {
		name := strings.ToLower(strings.TrimSpace(part))
		if strings.HasPrefix(name, "zh") {
			return chinese
		}
		if strings.HasPrefix(name, "en") {
			return english
		}
	}
	return english
}

// t is a text in the visitor's language.
func (v *visit) t(key string, args ...any) string {
	pair, ok := texts[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return pair[v.lang]
	}
	return fmt.Sprintf(pair[v.lang], args...)
}

// code is the name of a code; one that has none is shown as it is.
func (v *visit) code(kind string, value any) string {
	key := kind + "." + fmt.Sprint(value)
	if _, ok := texts[key]; ok {
		return v.t(key)
	}
	return fmt.Sprint(value)
}

// period is a number of periods: 3 months.
func (v *visit) period(kind int32, n int32) string {
	key := "period." + strconv.Itoa(int(kind))
	if n == 1 {
		key += ".one"
	}
	if _, ok := texts[key]; !ok {
		return fmt.Sprint(n)
	}
	return v.t(key, n)
}

// unit is the name of a measurement unit that pages meet often.
func (v *visit) unit(id int32) string { return v.code("unit", id) }

// units is the name of a unit beside so many of it: 1 hour, 1.5 hours.
func (v *visit) units(id int32, n amount) string {
	name := v.unit(id)
	if v.lang == english && n != oneUnit && counted[name] {
		name += "s"
	}
	return name
}

// counted are the units that have a plural in English.
var counted = map[string]bool{"day": true, "hour": true, "minute": true, "second": true, "byte": true, "month": true, "year": true, "piece": true, "core-hour": true, "GB-hour": true, "token": true}
