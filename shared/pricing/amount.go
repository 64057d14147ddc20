package pricing

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// picoPerNano is how many PicoUSD make a NanoUSD.
const picoPerNano = 1000

// amount is a sum of money in PicoUSD, in 128 bits: a token count of the whole range of int64 at any price fits. What
// would not fit saturates.
type amount struct{ hi, lo uint64 }

// add adds a number of tokens at a price; neither is negative.
func (a *amount) add(tokens int64, price PicoUSD) { a.addTimes(tokens, price, 1) }

// addTimes adds a number of tokens at a price, n times.
func (a *amount) addTimes(tokens int64, price PicoUSD, n int64) {
	hi, lo := bits.Mul64(uint64(tokens), uint64(n))
	over, low := bits.Mul64(lo, uint64(price))
	if hi != 0 {
		if price == 0 {
			return
		}
		over = math.MaxUint64 >> 1
	}
	var carry uint64
	a.lo, carry = bits.Add64(a.lo, low, 0)
	a.hi, carry = bits.Add64(a.hi, over, carry)
	if carry != 0 {
		a.hi = math.MaxUint64
	}
}

// nano is the amount in NanoUSD after adding some PicoUSD for rounding: 500 rounds half up, 999 rounds up.
func (a *amount) nano(round uint64) gateway.NanoUSD {
	lo, carry := bits.Add64(a.lo, round, 0)
	hi, overflow := bits.Add64(a.hi, 0, carry)
	if overflow != 0 || hi >= picoPerNano {
		return math.MaxInt64
	}
	n, _ := bits.Div64(hi, lo, picoPerNano)
	return gateway.NanoUSD(min(n, math.MaxInt64))
}

// ErrPrice is the answer to text that is no price.
var ErrPrice = errors.New("a token price must be a decimal in US dollars, not negative, below 1 and with at most 12 decimals")

// ParsePerToken reads a price such as "2.5e-06" or "0.0000025", in US dollars for one token, exactly.
func ParsePerToken(s string) (PicoUSD, error) {
	number, exp, hasExp := strings.Cut(strings.ToLower(strings.TrimSpace(s)), "e")
	shift := 0
	if hasExp {
		var err error
		if shift, err = strconv.Atoi(exp); err != nil || shift < -30 || shift > 30 {
			return 0, ErrPrice
		}
	}
	pico, ok := decimal(number, 12+shift)
	if !ok || pico >= 1e12 {
		return 0, ErrPrice
	}
	return pico, nil
}

// parsePerMillion reads a price in US dollars for a million tokens, as the book lists it.
func parsePerMillion(s string) (PicoUSD, bool) {
	return decimal(s, 6)
}

// decimal is the decimal s times ten to the power of shift, if it is a whole number of at most 18 digits.
func decimal(s string, shift int) (PicoUSD, bool) {
	whole, fraction, dot := strings.Cut(s, ".")
	if whole == "" || dot && fraction == "" || len(s) > 60 {
		return 0, false
	}
	digits := strings.TrimRight(fraction, "0")
	shift -= len(digits)
	digits = whole + digits
	for shift < 0 && strings.HasSuffix(digits, "0") {
		digits, shift = digits[:len(digits)-1], shift+1
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, strings.Trim(whole, "0") == ""
	}
	if shift < 0 || len(digits)+shift > 18 {
		return 0, false
	}
	var n PicoUSD
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + PicoUSD(c-'0')
	}
	for range shift {
		n *= 10
	}
	return n, true
}

// PerToken is a price from the configuration: US dollars for one token of input and of output, as exact decimals.
func PerToken(inputUSD, outputUSD string) (Price, error) {
	in, err := ParsePerToken(inputUSD)
	if err != nil {
		return Price{}, err
	}
	out, err := ParsePerToken(outputUSD)
	if err != nil {
		return Price{}, err
	}
	return Custom(Rates{
		Input: in, Cached: in, CacheWrite: in, CacheWrite1h: in, AudioInput: in, ImageInput: in,
		Output: out, AudioOutput: out, ImageOutput: out,
	}), nil
}

// Custom is a price from the configuration, the same at all tiers. An image class of zero is one that the configuration does
// not know: it costs as the plain one.
func Custom(r Rates) Price {
	if r.ImageInput == 0 {
		r.ImageInput = r.Input
	}
	if r.ImageOutput == 0 {
		r.ImageOutput = r.Output
	}
	s := sheet{base: r, long: r}
	return Price{Source: "config", sheets: &[tiers]sheet{s, s, s, s}}
}
