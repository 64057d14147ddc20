package budget_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func TestReservationsAreGivenBackOnce(t *testing.T) {
	t.Parallel()
	var b budget.Budgets
	p := gateway.Principal{KeyHash: "h"}
	one, err := b.Reserve(t.Context(), p, 5)
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.Reserve(t.Context(), p, 7)
	if err != nil || b.Reserved() != 12 {
		t.Fatalf("%d reserved, %v", b.Reserved(), err)
	}
	one.Settle()
	one.Settle()
	if b.Reserved() != 7 {
		t.Errorf("%d reserved after one was settled twice", b.Reserved())
	}
	two.Settle()
	if _, err := b.Reserve(t.Context(), gateway.Principal{}, 1); err == nil || b.Reserved() != 0 {
		t.Errorf("nobody reserved: %v, %d", err, b.Reserved())
	}
}
