package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// maxEventBytes is the longest line that is taken for an event.
const maxEventBytes = 16 << 20

func eventsCommand(a *app) *cobra.Command {
	var f feed
	c := &cobra.Command{
		Use: "events", Short: "Print events, one CloudEvent as JSON a line", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if f.client, err = a.client(); err != nil {
				return err
			}
			f.out, f.note = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if a.IsTerminal(f.out) {
				f.out = newCleaner(f.out)
			}
			return f.run(cmd.Context())
		},
	}
	c.Flags().BoolVarP(&f.follow, "follow", "f", false, "go on with new events until Ctrl-C")
	c.Flags().StringVar(&f.kind, "type", "", "only events of this type, such as batch")
	c.Flags().StringVar(&f.after, "after", "", "only events after the one with this id")
	return c
}

// feed is one reading of the events.
type feed struct {
	client *client
	out    io.Writer
	note   io.Writer
	follow bool
	kind   string
	after  string // id of the last event that was printed
	met    bool   // the gateway has answered once
}

// run prints events until there are no more, or, when it follows, until Ctrl-C. A connection that was good and is lost is
// made anew, from the last event on.
func (f *feed) run(ctx context.Context) error {
	for fails := 0; ; fails++ {
		progressed, err := f.read(ctx)
		switch {
		case f.follow && ctx.Err() != nil:
			return nil // Ctrl-C is how to end it
		case !f.follow, err != nil && (!f.met || !transient(err)), fails == maxRetries && !progressed:
			return err
		case progressed:
			fails = 0
		}
		fmt.Fprintln(f.note, "connection lost; trying again")
		if sleep(ctx, f.client.pause<<fails) != nil {
			return nil
		}
	}
}

// read prints what one connection brings, and reports whether that was anything new.
func (f *feed) read(ctx context.Context) (progressed bool, err error) {
	query := url.Values{}
	for name, value := range map[string]string{"type": f.kind, "after": f.after, "follow": map[bool]string{true: "true"}[f.follow]} {
		if value != "" {
			query.Set(name, value)
		}
	}
	resp, err := f.client.do(ctx, request{method: http.MethodGet, path: "/events?" + query.Encode()})
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	f.met = true
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxEventBytes)
	for lines.Scan() {
		fresh, err := f.print(bytes.TrimSpace(lines.Bytes()))
		if err != nil {
			return progressed, err
		}
		progressed = progressed || fresh
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return progressed, fmt.Errorf("an event is longer than %d bytes", maxEventBytes)
	} else if err != nil {
		return progressed, f.client.lost(ctx, err)
	}
	return progressed, nil
}

// print passes an event on as it came. Blank lines keep the connection alive; what is no JSON is an event cut in two.
func (f *feed) print(line []byte) (fresh bool, err error) {
	if len(line) == 0 {
		return false, nil
	}
	var event struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(line, &event); err != nil {
		return false, &unreachable{f.client.base, errors.New("the events broke off")}
	}
	if event.ID != "" && event.ID == f.after {
		return false, nil
	}
	f.after = first(event.ID, f.after)
	_, err = fmt.Fprintf(f.out, "%s\n", line)
	return true, err
}
