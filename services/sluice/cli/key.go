package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

func keyCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "Create, list and delete virtual keys"}
	c.AddCommand(keyCreate(a), keyList(a), keyInfo(a), keyDelete(a))
	return c
}

func keyCreate(a *app) *cobra.Command {
	var (
		models                            []string
		alias, user, team, duration       string
		maxBudget, budgetWindow, metadata string
		asJSON                            bool
	)
	c := &cobra.Command{
		Use: "create", Short: "Create a virtual key and print it", Args: cobra.NoArgs,
		Long: "Creates a virtual key. The key alone goes to standard output; it is shown this once and stored nowhere.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			body := map[string]any{}
			for name, value := range map[string]string{
				"key_alias": alias, "user_id": user, "team_id": team, "duration": duration, "budget_duration": budgetWindow,
			} {
				if value != "" {
					body[name] = value
				}
			}
			if len(models) > 0 {
				body["models"] = models
			}
			if err := amountAndMetadata(body, maxBudget, metadata); err != nil {
				return err
			}
			return a.createKey(cmd, body, asJSON)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&models, "models", nil, "models the key may call, such as gpt-4o,openai/*; none means all")
	f.StringVar(&alias, "alias", "", "a name for people")
	f.StringVar(&user, "user", "", "the user it belongs to")
	f.StringVar(&team, "team", "", "the team it belongs to")
	f.StringVar(&duration, "duration", "", "how long it lives, such as 30m, 12h, 30d; none means for ever")
	f.StringVar(&maxBudget, "max-budget", "", "the most it may spend, in US dollars")
	f.StringVar(&budgetWindow, "budget-duration", "", "after which time the budget starts anew, such as 30d")
	f.StringVar(&metadata, "metadata", "", "a JSON object to keep with it")
	f.BoolVar(&asJSON, "json", false, "print the gateway's whole answer")
	return c
}

// amountAndMetadata checks here what would be hard to understand from the gateway's answer.
func amountAndMetadata(body map[string]any, maxBudget, metadata string) error {
	if maxBudget != "" {
		if _, err := gateway.ParseUSD(maxBudget); err != nil || !json.Valid([]byte(maxBudget)) {
			return fmt.Errorf("--max-budget: %w", gateway.ErrAmount)
		}
		body["max_budget"] = json.RawMessage(maxBudget)
	}
	if metadata != "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(metadata), &object); err != nil || object == nil {
			return errors.New(`--metadata must be a JSON object, such as {"project":"x"}`)
		}
		body["metadata"] = object
	}
	return nil
}

func (a *app) createKey(cmd *cobra.Command, body map[string]any, asJSON bool) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := cl.call(cmd.Context(), http.MethodPost, "/key/generate", body, &raw); err != nil {
		return err
	}
	var row keyRow
	if err := json.Unmarshal(raw, &row); err != nil || row.Key == "" {
		return errors.New("the gateway's answer holds no key")
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), raw)
	}
	if err := row.details(cmd.ErrOrStderr()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), plain(row.Key))
	return err
}

func keyInfo(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "info [KEY]", Short: "Show one key, given as itself or as its hash; none means the calling key", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			path := "/key/info"
			if len(args) > 0 {
				path += "?" + url.Values{"key": {hashed(args[0])}}.Encode()
			}
			var raw json.RawMessage
			if err := cl.call(cmd.Context(), http.MethodGet, path, nil, &raw); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), raw)
			}
			var answer struct {
				Key  string `json:"key"`
				Info keyRow `json:"info"`
			}
			if err := json.Unmarshal(raw, &answer); err != nil {
				return errors.New("the gateway's answer holds no key")
			}
			answer.Info.Token = hashed(first(answer.Info.Token, answer.Key))
			return answer.Info.details(cmd.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the gateway's whole answer")
	return c
}

// hashed is the hash by which the gateway knows a key: addresses are logged on the way, so no key goes into one.
func hashed(key string) string {
	if !strings.HasPrefix(key, "sk-") {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func keyDelete(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "delete KEY...", Short: "Delete keys, given as themselves or as their hashes", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			var answer struct {
				Deleted []string `json:"deleted_keys"`
			}
			if err := cl.call(cmd.Context(), http.MethodPost, "/key/delete", map[string]any{"keys": args}, &answer); err != nil {
				return err
			}
			for _, key := range answer.Deleted {
				fmt.Fprintln(cmd.OutOrStdout(), "deleted", redact(plain(key)))
			}
			if len(answer.Deleted) < len(args) {
				return fmt.Errorf("%d of %d keys were not deleted", len(args)-len(answer.Deleted), len(args))
			}
			return nil
		},
	}
}
