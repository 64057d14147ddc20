package gateway

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// NanoUSD is an amount of money in billionths of a US dollar. Floats exist only at the API border.
type NanoUSD int64

// USD is one US dollar.
const USD NanoUSD = 1_000_000_000

// MaxUSD is the largest amount the API takes, in dollars: far above any real budget and far from overflow.
const MaxUSD = 1_000_000_000

// ErrAmount is what ParseUSD answers for text that is no amount between zero and MaxUSD with at most nine decimals.
var ErrAmount = errors.New("an amount in US dollars must be between 0 and 1000000000 with at most 9 decimals")

// ParseUSD reads a decimal JSON number such as "0.25" or "1e-3" exactly, without passing through a float.
func ParseUSD(s string) (NanoUSD, error) {
	if len(s) > 40 || strings.ContainsAny(s, "/_xXpPbBoO") {
		return 0, ErrAmount
	}
	if _, exp, found := strings.Cut(strings.ToLower(s), "e"); found && len(strings.TrimLeft(exp, "+-0")) > 2 {
		return 0, ErrAmount
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.Sign() < 0 || r.Cmp(big.NewRat(MaxUSD, 1)) > 0 {
		return 0, ErrAmount
	}
	r.Mul(r, big.NewRat(int64(USD), 1))
	if !r.IsInt() {
		return 0, ErrAmount
	}
	return NanoUSD(r.Num().Int64()), nil
}

// Dollars is the amount as a float, for JSON answers and for people; never for arithmetic.
func (n NanoUSD) Dollars() float64 { return float64(n) / float64(USD) }

// String prints the exact amount in dollars without trailing zeros, such as "0.000125".
func (n NanoUSD) String() string {
	sign, units := "", uint64(n)
	if n < 0 {
		sign, units = "-", -units
	}
	whole, parts := units/uint64(USD), units%uint64(USD)
	if parts == 0 {
		return sign + strconv.FormatUint(whole, 10)
	}
	decimals := strconv.FormatUint(parts+uint64(USD), 10)[1:] // with leading zeros
	return sign + strconv.FormatUint(whole, 10) + "." + strings.TrimRight(decimals, "0")
}

// Plus adds two amounts and saturates instead of wrapping around.
func (n NanoUSD) Plus(m NanoUSD) NanoUSD {
	switch s := n + m; {
	case n > 0 && m > 0 && s < 0:
		return math.MaxInt64
	case n < 0 && m < 0 && s >= 0:
		return math.MinInt64
	default:
		return s
	}
}
