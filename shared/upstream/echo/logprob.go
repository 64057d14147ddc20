package echo

import "math"

type logprobs struct {
	Content []logprob `json:"content"`
	Refusal []logprob `json:"refusal"`
}

type logprob struct {
	Token   string    `json:"token"`
	Logprob float64   `json:"logprob"`
	Bytes   []int     `json:"bytes"`
	Top     []logprob `json:"top_logprobs"`
}

// probabilities are made up, and alike for every token: echo gives three quarters to what it says and shares the rest among
// the token in brackets, in two brackets, and so on. It is nil where nothing is said.
func probabilities(pieces []piece, top int) *logprobs {
	out := &logprobs{}
	for i := range pieces {
		switch p := &pieces[i]; p.kind {
		case spoken:
			out.Content = append(out.Content, probability(p.text, top))
		case refused:
			out.Refusal = append(out.Refusal, probability(p.text, top))
		}
	}
	if out.Content == nil && out.Refusal == nil {
		return nil
	}
	return out
}

func probability(token string, top int) logprob {
	share := 0.75
	out := alternative(token, share)
	out.Top = make([]logprob, top)
	for i := range out.Top {
		out.Top[i] = alternative(token, share)
		token, share = "("+token+")", share/4
	}
	return out
}

func alternative(token string, share float64) logprob {
	p := logprob{Token: token, Logprob: math.Round(math.Log(share)*1e4) / 1e4, Bytes: make([]int, len(token))}
	for i := range len(token) {
		p.Bytes[i] = int(token[i])
	}
	return p
}
