package expression

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Math expressions: $A, ${A}, numbers, functions and operators with Go's precedence.

// mathNode is a parsed expression.
type mathNode struct {
	// "number", "var", "call", "unary" or "binary".
	kind string
	op   string
	num  float64
	args []*mathNode
}

type mathParser struct {
	text string
	at   int
}

func parseMath(text string) (*mathNode, error) {
	p := &mathParser{text: text}
	node, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, fmt.Errorf("unexpected %q in expression %q", p.text[p.at:], text)
	}
	return node, nil
}

// precedences of binary operators; longer ones come first where one begins another.
var mathOps = []struct {
	text       string
	precedence int
}{
	{"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {">=", 3}, {"<=", 3}, {">", 3}, {"<", 3}, {"+", 4}, {"-", 4}, {"**", 6}, {"*", 5}, {"/", 5}, {"%", 5},
}

func (p *mathParser) space() {
	for p.at < len(p.text) && unicode.IsSpace(rune(p.text[p.at])) {
		p.at++
	}
}

func (p *mathParser) op(least int) (string, int) {
	p.space()
	for _, op := range mathOps {
		if strings.HasPrefix(p.text[p.at:], op.text) {
			if op.precedence < least {
				return "", 0
			}
			return op.text, op.precedence
		}
	}
	return "", 0
}

func (p *mathParser) binary(least int) (*mathNode, error) {
	left, err := p.unary()
	if err != nil {
		return nil, err
	}
	for {
		op, precedence := p.op(max(least, 1))
		if op == "" {
			return left, nil
		}
		p.at += len(op)
		right, err := p.binary(precedence + 1)
		if err != nil {
			return nil, err
		}
		left = &mathNode{kind: "binary", op: op, args: []*mathNode{left, right}}
	}
}

func (p *mathParser) unary() (*mathNode, error) {
	p.space()
	if p.at < len(p.text) && (p.text[p.at] == '!' || p.text[p.at] == '-') {
		op := string(p.text[p.at])
		p.at++
		arg, err := p.unary()
		if err != nil {
			return nil, err
		}
		return &mathNode{kind: "unary", op: op, args: []*mathNode{arg}}, nil
	}
	return p.primary()
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (p *mathParser) word() string {
	from := p.at
	for p.at < len(p.text) && isWord(p.text[p.at]) {
		p.at++
	}
	return p.text[from:p.at]
}

func (p *mathParser) expect(c byte) error {
	p.space()
	if p.at >= len(p.text) || p.text[p.at] != c {
		return fmt.Errorf("expected %q in expression %q at %d", c, p.text, p.at)
	}
	p.at++
	return nil
}

func (p *mathParser) primary() (*mathNode, error) {
	p.space()
	if p.at >= len(p.text) {
		return nil, fmt.Errorf("unexpected end of expression %q", p.text)
	}
	switch c := p.text[p.at]; {
	case c == '(':
		p.at++
		node, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return node, p.expect(')')
	case c == '$':
		p.at++
		if strings.HasPrefix(p.text[p.at:], "{") {
			end := strings.IndexByte(p.text[p.at:], '}')
			if end < 0 {
				return nil, fmt.Errorf("unterminated variable in expression %q", p.text)
			}
			name := p.text[p.at+1 : p.at+end]
			p.at += end + 1
			return &mathNode{kind: "var", op: name}, nil
		}
		name := p.word()
		if name == "" {
			return nil, fmt.Errorf("incomplete variable in expression %q", p.text)
		}
		return &mathNode{kind: "var", op: name}, nil
	case c >= '0' && c <= '9' || c == '.':
		from := p.at
		for p.at < len(p.text) && (isWord(p.text[p.at]) || p.text[p.at] == '.' ||
			(p.text[p.at] == '+' || p.text[p.at] == '-') && strings.ContainsRune("eE", rune(p.text[p.at-1])) && !strings.HasPrefix(p.text[from:], "0x")) {
			p.at++
		}
		number := p.text[from:p.at]
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			whole, failed := strconv.ParseInt(number, 0, 64)
			if failed != nil {
				return nil, fmt.Errorf("bad number %q in expression %q", number, p.text)
			}
			value = float64(whole)
		}
		return &mathNode{kind: "number", num: value}, nil
	case isWord(c):
		name := p.word()
		if _, known := mathFunctions[name]; !known {
			return nil, fmt.Errorf("undefined function %q in expression %q", name, p.text)
		}
		if err := p.expect('('); err != nil {
			return nil, err
		}
		node := &mathNode{kind: "call", op: name}
		for p.space(); p.at < len(p.text) && p.text[p.at] != ')'; p.space() {
			arg, err := p.binary(0)
			if err != nil {
				return nil, err
			}
			node.args = append(node.args, arg)
			p.space()
			if p.at < len(p.text) && p.text[p.at] == ',' {
				p.at++
			}
		}
		if want := mathFunctions[name]; len(node.args) != want {
			return nil, fmt.Errorf("function %s wants %d arguments in expression %q", name, want, p.text)
		}
		return node, p.expect(')')
	}
	return nil, fmt.Errorf("unexpected character %q in expression %q", p.text[p.at], p.text)
}

// mathFunctions have a number of arguments.
var mathFunctions = map[string]int{
	"abs": 1, "log": 1, "ceil": 1, "floor": 1, "round": 1, "is_nan": 1, "is_inf": 1, "is_null": 1, "is_number": 1, "null": 0, "nan": 0, "inf": 0, "infn": 0,
}

// variables lists the nodes that an expression refers to.
func (n *mathNode) variables(into map[string]bool) {
	if n.kind == "var" {
		into[n.op] = true
	}
	for _, arg := range n.args {
		arg.variables(into)
	}
}

func (n *mathNode) eval(env map[string]Values) (Values, error) {
	switch n.kind {
	case "number":
		v := n.num
		return Values{{Kind: scalarKind, Num: &v}}, nil
	case "var":
		values, ok := env[n.op]
		if !ok {
			return nil, fmt.Errorf("there is no node %q", n.op)
		}
		return values, nil
	case "call":
		switch n.op {
		case "null":
			return Values{{Kind: scalarKind}}, nil
		case "nan":
			return constant(math.NaN()), nil
		case "inf":
			return constant(math.Inf(1)), nil
		case "infn":
			return constant(math.Inf(-1)), nil
		}
		arg, err := n.args[0].eval(env)
		if err != nil {
			return nil, err
		}
		return arg.apply(func(x *float64) *float64 { return callMath(n.op, x) }), nil
	case "unary":
		arg, err := n.args[0].eval(env)
		if err != nil {
			return nil, err
		}
		return arg.apply(func(x *float64) *float64 {
			if x == nil {
				return nil
			}
			switch {
			case math.IsNaN(*x):
				// Not of NaN is NaN too.
				return Ptr(math.NaN())
			case n.op == "-":
				return Ptr(-*x)
			default:
				return Ptr(boolean(*x == 0))
			}
		}), nil
	}
	left, err := n.args[0].eval(env)
	if err != nil {
		return nil, err
	}
	right, err := n.args[1].eval(env)
	if err != nil {
		return nil, err
	}
	return combine(n.op, left, right), nil
}

func constant(x float64) Values { return Values{{Kind: scalarKind, Num: &x}} }

func callMath(name string, x *float64) *float64 {
	switch name {
	case "is_null":
		return Ptr(boolean(x == nil))
	case "is_nan":
		return Ptr(boolean(x != nil && math.IsNaN(*x)))
	case "is_inf":
		return Ptr(boolean(x != nil && math.IsInf(*x, 0)))
	case "is_number":
		return Ptr(boolean(x != nil && !math.IsNaN(*x) && !math.IsInf(*x, 0)))
	}
	if x == nil {
		return nil
	}
	switch name {
	case "abs":
		return Ptr(math.Abs(*x))
	case "log":
		return Ptr(math.Log(*x))
	case "ceil":
		return Ptr(math.Ceil(*x))
	case "floor":
		return Ptr(math.Floor(*x))
	default:
		return Ptr(math.Round(*x))
	}
}

func binaryMath(op string, a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	x, y := *a, *b
	switch {
	case op == "||" && x != 0:
		return Ptr(1)
	case op == "&&" && x == 0:
		return Ptr(0)
	case math.IsNaN(x) || math.IsNaN(y):
		return Ptr(math.NaN())
	}
	switch op {
	case "+":
		return Ptr(x + y)
	case "-":
		return Ptr(x - y)
	case "*":
		return Ptr(x * y)
	case "/":
		return Ptr(x / y)
	case "%":
		return Ptr(math.Mod(x, y))
	case "**":
		return Ptr(math.Pow(x, y))
	case "==":
		return Ptr(boolean(x == y))
	case "!=":
		return Ptr(boolean(x != y))
	case ">":
		return Ptr(boolean(x > y))
	case ">=":
		return Ptr(boolean(x >= y))
	case "<":
		return Ptr(boolean(x < y))
	case "<=":
		return Ptr(boolean(x <= y))
	case "&&":
		return Ptr(boolean(x != 0 && y != 0))
	default:
		return Ptr(boolean(x != 0 || y != 0))
	}
}

// combine joins two sides by their labels: equal ones, one within the other, or one value on each side.
func combine(op string, left, right Values) Values {
	if left.IsNoData() || right.IsNoData() {
		return NoData()
	}
	var joined Values
	pair := func(a, b Value) {
		joined = append(joined, combineTwo(op, a, b))
	}
	for _, a := range left {
		for _, b := range right {
			if a.Kind == scalarKind || b.Kind == scalarKind || len(a.Labels) == 0 || len(b.Labels) == 0 ||
				a.Labels.Contains(b.Labels) || b.Labels.Contains(a.Labels) {
				pair(a, b)
			}
		}
	}
	if len(joined) == 0 && len(left) == 1 && len(right) == 1 {
		pair(left[0], right[0])
	}
	if len(joined) == 0 {
		return NoData()
	}
	return joined
}

func combineTwo(op string, a, b Value) Value {
	labels := a.Labels
	if len(b.Labels) > len(a.Labels) {
		labels = b.Labels
	}
	switch {
	case a.Kind == SeriesKind && b.Kind == SeriesKind:
		out := Value{Kind: SeriesKind, Labels: labels}
		at := map[int64]*float64{}
		for _, p := range b.Points {
			at[p.Time] = p.Num
		}
		for _, p := range a.Points {
			if other, ok := at[p.Time]; ok {
				out.Points = append(out.Points, Point{p.Time, binaryMath(op, p.Num, other)})
			}
		}
		return out
	case a.Kind == SeriesKind:
		return a.apply(func(x *float64) *float64 { return binaryMath(op, x, b.Num) }).with(labels)
	case b.Kind == SeriesKind:
		return b.apply(func(x *float64) *float64 { return binaryMath(op, a.Num, x) }).with(labels)
	}
	kind := NumberKind
	if a.Kind == scalarKind && b.Kind == scalarKind {
		kind = scalarKind
	}
	return Value{Kind: kind, Labels: labels, Num: binaryMath(op, a.Num, b.Num)}
}
