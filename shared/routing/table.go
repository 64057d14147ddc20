package routing

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Table maps model names to deployments. It is never changed, only replaced.
type Table struct {
	exact map[string][]Deployment
	wild  []Deployment // patterns, the longest first
	names []Deployment // one for each listed name, in the order they were given
}

// NewTable makes a table of deployments. Several of one name are alternatives, tried in their order.
func NewTable(deployments []Deployment) *Table {
	t := &Table{exact: map[string][]Deployment{}}
	ids := map[string]int{}
	for _, d := range deployments {
		if d.ID == "" {
			d.ID = d.newID(ids)
		}
		if strings.HasSuffix(d.Model, "*") {
			t.wild = append(t.wild, d)
		} else {
			t.exact[d.Model] = append(t.exact[d.Model], d)
		}
		if !d.Hidden && !slices.ContainsFunc(t.names, func(n Deployment) bool { return n.Model == d.Model }) {
			t.names = append(t.names, d)
		}
	}
	slices.SortStableFunc(t.wild, func(a, b Deployment) int { return len(b.Model) - len(a.Model) })
	return t
}

// newID is made of what a caller may see of the deployment; those that differ in nothing else are counted.
func (d *Deployment) newID(have map[string]int) string {
	h := sha256.Sum256([]byte(d.Model + "\x00" + d.Provider + "\x00" + d.VendorModel + "\x00" + d.BaseURL))
	id := hex.EncodeToString(h[:12])
	if have[id]++; have[id] > 1 {
		id += "-" + strconv.Itoa(have[id])
	}
	return id
}

// Plan is the deployments to try for one call, in order. It has at least one.
type Plan []Deployment

// Plan decides who may serve the call, or says why nobody: the model is not allowed (KindForbidden) or unknown (KindInvalid).
func (t *Table) Plan(p gateway.Principal, op gateway.Op, model string) (Plan, error) {
	if !p.MayCall(model) {
		e := gateway.Errorf(gateway.KindForbidden, "Requested model %s is not available for this API key.", quoted(model))
		e.Param, e.TypeName = "model", "key_model_access_denied"
		return nil, e
	}
	plan := t.exact[model]
	if plan == nil {
		plan = t.match(model)
	}
	for i := range plan {
		if _, serves := plan[i].Carrier(op); !serves {
			return t.serving(plan, op, model)
		}
	}
	if len(plan) == 0 {
		return nil, gateway.Invalid("model", "Invalid model name passed in model=%s. Call `/v1/models` to view available models for your key.", quoted(model))
	}
	return plan, nil
}

// serving leaves out the deployments that do not serve the op.
func (t *Table) serving(plan Plan, op gateway.Op, model string) (Plan, error) {
	var able Plan
	for _, d := range plan {
		if _, serves := d.Carrier(op); serves {
			able = append(able, d)
		}
	}
	if len(able) == 0 {
		return nil, gateway.Invalid("model", "Model %s does not serve %s.", quoted(model), op)
	}
	return able, nil
}

// match takes the deployments of the longest pattern that fits, with what the star stands for filled in.
func (t *Table) match(model string) Plan {
	var plan Plan
	for _, d := range t.wild {
		prefix := strings.TrimSuffix(d.Model, "*")
		if len(plan) > 0 && len(prefix) != len(plan[0].Model)-1 {
			break
		}
		if len(model) > len(prefix) && strings.HasPrefix(model, prefix) {
			d.VendorModel = strings.TrimSuffix(d.VendorModel, "*") + model[len(prefix):]
			plan = append(plan, d)
		}
	}
	return plan
}

// Models yields one deployment for each listed name that the principal may call.
func (t *Table) Models(p gateway.Principal) []Deployment {
	var may []Deployment
	for _, d := range t.names {
		if p.MayCall(d.Model) {
			may = append(may, d)
		}
	}
	return may
}

// maxQuoted is how much of a model name an error repeats, in bytes.
const maxQuoted = 100

func quoted(model string) string {
	if len(model) > maxQuoted {
		model = model[:maxQuoted] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u202e' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(model, "?"))
}

// Router holds the table in force. Its zero value knows no model.
type Router struct{ table atomic.Pointer[Table] }

// Use puts a table in force for the calls that come.
func (r *Router) Use(t *Table) { r.table.Store(t) }

// Table is the table in force.
func (r *Router) Table() *Table {
	if t := r.table.Load(); t != nil {
		return t
	}
	return NewTable(nil)
}

// Plan asks the table in force.
func (r *Router) Plan(p gateway.Principal, op gateway.Op, model string) (Plan, error) {
	return r.Table().Plan(p, op, model)
}

// Check tells whether the principal may call the model with the op.
func (r *Router) Check(p gateway.Principal, op gateway.Op, model string) error {
	_, err := r.Table().Plan(p, op, model)
	return err
}
