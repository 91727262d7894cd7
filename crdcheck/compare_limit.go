package crdcheck

import (
	"math"
	"strconv"
)

// limits compares bounds, an exclusive one together with its number.
func (c *comparison) limits(changed map[string]difference, was, is *node, old tree) {
	for _, b := range bounds {
		_, differs := changed[b.key]
		exclusive := map[string]string{keyMinimum: keyExclusiveMin, keyMaximum: keyExclusiveMax}[b.key]
		if _, too := changed[exclusive]; !differs && !too {
			continue
		}
		before, now := limitOf(was, b, exclusive), limitOf(is, b, exclusive)
		if most, closed := old.listed(was); b.key == "maxProperties" && closed && before.text == "" {
			before = limit{text: strconv.Itoa(most), implied: true, value: float64(most)}
		}
		switch order := before.compare(now, b.lower); {
		case order == 1 && !before.implied:
			c.tell(b.loosened(), is.path, before.String(), now.String())
		case order == -1 && !now.implied: // what a format implies is told as the format
			c.tell(b.tightened(), is.path, before.String(), now.String())
		}
	}
}

// listed returns how many fields an object lists; closed is false where it may have others.
func (t tree) listed(n *node) (count int, closed bool) {
	for i := range t {
		if t[i].parent == n.path && t[i].path != n.path {
			count++
		}
	}
	return count, !n.open && n.value(keyEmbedded) == "" && t.at(n.path+anyValue) == nil
}

// limit is a bound of one side. Limits are compared by what they admit and told as they are written.
type limit struct {
	text      string // "" where there is none
	exclusive bool
	implied   bool // by the format, or by the fields that are listed
	useless   bool // the server cannot use it, and refuses every value

	value  float64
	strict bool // the value itself is beyond the limit
}

// ofInt32 are the limits that the format int32 has by itself.
var ofInt32 = map[string]string{keyMinimum: strconv.Itoa(math.MinInt32), keyMaximum: strconv.Itoa(math.MaxInt32)}

func limitOf(n *node, b bound, exclusive string) limit {
	text := n.value(b.key)
	if text == "" && n.value(keyFormat) == `"int32"` && ofInt32[b.key] != "" {
		return limit{text: ofInt32[b.key], implied: true, value: parse(ofInt32[b.key])}
	}
	l := limit{text: text, exclusive: text != "" && exclusive != "" && n.value(exclusive) != "", value: parse(text)}
	l.strict = l.exclusive
	if text == "" || exclusive == "" {
		return l
	}
	step := 1.0
	if !b.lower {
		step = -1
	}
	switch {
	case unusable(n, text):
		l.useless, l.strict, l.value = true, false, math.Inf(int(step))
	case l.strict && typeOf(n) == "integer": // the next whole number is the limit
		l.strict, l.value = false, l.value+step
	}
	return l
}

// unusable reports whether the server cannot bring a bound, or a multiple, into the type and format
// beside it. It then refuses every number (k8s.io/kube-openapi/pkg/validation/validate,
// IsValueValidAgainstRange).
func unusable(n *node, text string) bool {
	kind, format := typeOf(n), n.value(keyFormat)
	if text == "" || kind != "integer" && format != `"float"` {
		return false
	}
	value := strconv.FormatFloat(parse(text), 'f', -1, 64)
	var err error
	switch {
	case kind == "integer" && format == `"int32"`:
		_, err = strconv.ParseInt(value, 10, 32)
	case kind == "integer":
		_, err = strconv.ParseInt(value, 10, 64)
	default:
		_, err = strconv.ParseFloat(value, 32)
	}
	return err != nil
}

// noNumber stands behind a bound that the server cannot use.
const noNumber = " (not of the type and format: the server refuses every number)"

func (l limit) String() string {
	if l.implied {
		return absentValue
	}
	if l.useless {
		return l.text + noNumber
	}
	if l.exclusive {
		return l.text + " excluded"
	}
	return orAbsent(l.text)
}

// compare returns -1 where the other limit is stricter, 1 where it is looser, 0 where they are the
// same.
func (l limit) compare(other limit, lower bool) int {
	switch {
	case l == other:
		return 0
	case l.text == "":
		return -1
	case other.text == "":
		return 1
	}
	switch {
	case l.value == other.value && l.strict == other.strict:
		return 0
	case l.value == other.value && other.strict, l.value < other.value && lower, l.value > other.value && !lower:
		return -1
	default:
		return 1
	}
}
