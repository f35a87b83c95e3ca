package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
)

func (d *desk) user() *cobra.Command {
	return group("user", "Accounts and users",
		"Lists and changes accounts and their users in the store itself; a running server sees it within a second.\nACCOUNT is an account's name or id.",
		d.userList(), d.userAdd(), d.userPassword(), d.userSwitch("enable", true), d.userSwitch("disable", false),
		d.userGrants(), d.userGrant(), d.userGroup())
}

func local(id string) *operation.Call { return operation.LocalOperator(id, time.Now()) }

func (d *desk) table(head string, rows func(put func(format string, args ...any))) error {
	w := tabwriter.NewWriter(d.out, 2, 4, 2, ' ', 0)
	fmt.Fprintln(w, head)
	rows(func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) })
	return w.Flush()
}

func onOff(on bool) string {
	if on {
		return "enabled"
	}
	return "disabled"
}

func (d *desk) userList() *cobra.Command {
	return &cobra.Command{
		Use: "list [ACCOUNT]", Short: "List accounts, or the users of one", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				if len(args) == 0 {
					list, err := h.Counter.Accounts(c.Context(), local("ListAccounts"))
					if err != nil {
						return err
					}
					return d.table("ACCOUNT\tID\tKIND\tSTATE", func(put func(string, ...any)) {
						for _, a := range list {
							put("%s\t%s\t%s\t%s", a.Name, a.ID, a.Kind, onOff(a.Enabled))
						}
					})
				}
				list, err := h.Counter.AccountUsers(c.Context(), local("ListUsers"), args[0])
				if err != nil {
					return err
				}
				return d.table("USER\tID\tOWNER\tSTATE\tCREATED", func(put func(string, ...any)) {
					for i := range list {
						u := &list[i]
						put("%s\t%s\t%t\t%s\t%s", u.Name, u.ID, u.Owner, onOff(u.Enabled), u.Created.Format(time.RFC3339))
					}
				})
			})
		},
	}
}

func (d *desk) userAdd() *cobra.Command {
	var kind, partner, actions string
	var fromInput bool
	c := &cobra.Command{
		Use: "add ACCOUNT USER", Short: "Add a user; a new account when there is none of that name", Args: exactly(2),
		Long: `Adds a user to an account. When there is no account of that name it is opened, with a project in each region of the
catalogue, and the user is its owner. A password is made and printed once, unless --password-stdin reads one.`,
		RunE: func(c *cobra.Command, args []string) error {
			password, err := d.password(fromInput)
			if err != nil {
				return err
			}
			in := operation.NewUser{Account: args[0], User: args[1], Kind: kind, Partner: partner, Password: password}
			for action := range strings.SplitSeq(actions, ",") {
				if action = strings.TrimSpace(action); action != "" {
					in.Actions = append(in.Actions, action)
				}
			}
			return d.with(c.Context(), func(h *house.House) error {
				u, shown, err := h.Counter.AddUser(c.Context(), local("AddUser"), in)
				if err != nil {
					return err
				}
				fmt.Fprintf(d.out, "user %s (%s) of account %s (%s)\n", u.Name, u.ID, u.DomainName, u.DomainID)
				if !fromInput {
					fmt.Fprintf(d.out, "password %s\n", shown.Reveal())
				}
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringVar(&kind, "kind", identity.Customer, "of a new account: operator, partner or customer")
	f.StringVar(&partner, "partner", "", "`ACCOUNT` of the partner that a new customer belongs to")
	f.StringVar(&actions, "actions", "", "what a user who is not the owner may do, such as `bss:order:view,bss:balance:view` or bss:*:*")
	f.BoolVar(&fromInput, "password-stdin", false, "read the password from standard input")
	return c
}

// password reads a line of the input; without it one is made.
func (d *desk) password(fromInput bool) (identity.Secret, error) {
	if !fromInput {
		return "", nil
	}
	line, err := bufio.NewReader(d.in).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.Join(errors.New("no password on standard input"), err)
	}
	return identity.Secret(line), nil
}

func (d *desk) userPassword() *cobra.Command {
	var fromInput bool
	c := &cobra.Command{
		Use: "password ACCOUNT USER", Short: "Give a user a new password", Args: exactly(2),
		Long: "Makes a new password and prints it once, or reads one with --password-stdin. The user's tokens end.",
		RunE: func(c *cobra.Command, args []string) error {
			password, err := d.password(fromInput)
			if err != nil {
				return err
			}
			return d.with(c.Context(), func(h *house.House) error {
				shown, err := h.Counter.ResetPassword(c.Context(), local("ResetPassword"), args[0], args[1], password)
				if err == nil && !fromInput {
					fmt.Fprintf(d.out, "password %s\n", shown.Reveal())
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&fromInput, "password-stdin", false, "read the password from standard input")
	return c
}

func (d *desk) userSwitch(word string, on bool) *cobra.Command {
	return &cobra.Command{
		Use: word + " ACCOUNT [USER]", Short: strings.ToUpper(word[:1]) + word[1:] + " a user, or a whole account", Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			user := ""
			if len(args) == 2 {
				user = args[1]
			}
			return d.with(c.Context(), func(h *house.House) error {
				if err := h.Counter.Switch(c.Context(), local("Switch"), args[0], user, on); err != nil {
					return err
				}
				fmt.Fprintln(d.out, onOff(on))
				return nil
			})
		},
	}
}

func (d *desk) key() *cobra.Command {
	return group("key", "Access keys of users",
		"Lists and changes access keys in the store itself; a running server sees it within a second. A user has at most two.",
		&cobra.Command{
			Use: "list ACCOUNT", Short: "List the access keys of an account", Args: exactly(1),
			RunE: func(c *cobra.Command, args []string) error {
				return d.with(c.Context(), func(h *house.House) error { return d.listKeys(c.Context(), h, args[0]) })
			},
		},
		&cobra.Command{
			Use: "create ACCOUNT USER", Short: "Make an access key; its secret is printed once", Args: exactly(2),
			RunE: func(c *cobra.Command, args []string) error {
				return d.with(c.Context(), func(h *house.House) error {
					k, err := h.Counter.CreateKey(c.Context(), local("CreateKey"), args[0], args[1])
					if err == nil {
						fmt.Fprintf(d.out, "access_key %s\nsecret_key %s\n", k.Access, k.Secret.Reveal())
					}
					return err
				})
			},
		},
		d.keySwitch("enable", "Let a key be used again", new(true)),
		d.keySwitch("disable", "Keep a key from being used", new(false)),
		d.keySwitch("delete", "Delete a key for good", nil))
}

func (d *desk) listKeys(ctx context.Context, h *house.House, account string) error {
	list, err := h.Counter.AccountKeys(ctx, local("ListKeys"), account)
	if err != nil {
		return err
	}
	return d.table("ACCESS KEY\tUSER ID\tSTATE\tCREATED\tDESCRIPTION", func(put func(string, ...any)) {
		for i := range list {
			k := &list[i]
			put("%s\t%s\t%s\t%s\t%s", k.Access, k.UserID, onOff(k.Active), k.Created.Format(time.RFC3339), k.Description)
		}
	})
}

func (d *desk) keySwitch(word, short string, on *bool) *cobra.Command {
	return &cobra.Command{
		Use: word + " ACCOUNT ACCESS_KEY", Short: short, Args: exactly(2),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				if err := h.Counter.SwitchKey(c.Context(), local("SwitchKey"), args[0], args[1], on); err != nil {
					return err
				}
				fmt.Fprintln(d.out, word+"d")
				return nil
			})
		},
	}
}
