package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/project"
)

// listOf takes a list apart that is separated by commas.
func listOf(text string) (out []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func (d *desk) userGrants() *cobra.Command {
	return &cobra.Command{
		Use: "grants ACCOUNT", Short: "List what users and groups may do in single enterprise projects", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				list, names, err := h.Counter.Grants(c.Context(), local("ListProjectGrants"), args[0], "")
				if err != nil {
					return err
				}
				return d.table("PROJECT\tID\tWHO\tACTIONS", func(put func(string, ...any)) {
					for _, g := range list {
						who := g.User
						if who == "" {
							who = "group " + g.Group
						}
						put("%s\t%s\t%s\t%s", names.Of(g.Project), g.Project, who, strings.Join(g.Actions, ","))
					}
				})
			})
		},
	}
}

func (d *desk) userGrant() *cobra.Command {
	var project, actions string
	var group bool
	c := &cobra.Command{
		Use: "grant ACCOUNT USER", Short: "Let a user, or a group, do something in one enterprise project", Args: exactly(2),
		Long: `Lets a user (a group with --group) do actions in one enterprise project of its account, in place of what was granted
there before; without --actions what was granted there is taken back. Orders, resources, packages, usage, bills, costs
and totals of other projects are not there for it; operations on the account as a whole need the action everywhere.`,
		RunE: func(c *cobra.Command, args []string) error {
			g := identity.Grant{Project: project, User: args[1], Actions: listOf(actions)}
			if group {
				g.User, g.Group = "", args[1]
			}
			return d.with(c.Context(), func(h *house.House) error {
				if _, err := h.Counter.Grant(c.Context(), local("SetProjectGrant"), args[0], g); err != nil {
					return err
				}
				if len(g.Actions) == 0 {
					fmt.Fprintln(d.out, "taken back")
				} else {
					fmt.Fprintln(d.out, "granted")
				}
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringVar(&project, "project", "", "`id` of the enterprise project; 0 is the default one")
	f.StringVar(&actions, "actions", "", "such as `bss:order:view,bss:renewal:*`; none: take back")
	f.BoolVar(&group, "group", false, "the second argument is a group's name")
	c.MarkFlagRequired("project") //nolint:errcheck // the flag was made just above
	return c
}

func (d *desk) userGroup() *cobra.Command {
	var remove bool
	c := &cobra.Command{
		Use: "group ACCOUNT [GROUP [USER…]]", Short: "List groups of users; make one, or change whom it holds", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				if len(args) == 1 {
					list, err := h.Counter.Groups(c.Context(), local("ListUserGroups"), args[0])
					if err != nil {
						return err
					}
					return d.table("GROUP\tUSERS", func(put func(string, ...any)) {
						for _, g := range list {
							put("%s\t%s", g.Name, strings.Join(g.Users, ","))
						}
					})
				}
				users := append([]string{}, args[2:]...)
				if remove {
					users = nil
				}
				_, err := h.Counter.SetGroup(c.Context(), local("SetUserGroup"), args[0], args[1], users)
				if err == nil {
					fmt.Fprintln(d.out, "done")
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&remove, "delete", false, "forget the group, with what it was granted")
	return c
}

func (d *desk) project() *cobra.Command {
	return group("project", "Budgets of enterprise projects", "Lists and sets budgets and fund quotas of a customer's enterprise projects. CUSTOMER is its account's id.",
		d.projectBudgets(), d.projectBudget())
}

func (d *desk) projectBudgets() *cobra.Command {
	return &cobra.Command{
		Use: "budgets CUSTOMER", Short: "List budgets with what the running bill month has cost", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				list, err := h.Counter.Budgets(c.Context(), local("ListProjectBudgets"), args[0])
				if err != nil {
					return err
				}
				return d.table("PROJECT\tID\tBUDGET\tQUOTA\tSPENT "+list.Cycle.String()+"\tALERTED", func(put func(string, ...any)) {
					for i := range list.List {
						s := &list.List[i]
						put("%s\t%s\t%s\t%s\t%s\t%d %%", list.Names.Of(s.Project), s.Project, s.Amount, s.Quota, s.Spent, s.Alerted)
					}
				})
			})
		},
	}
}

func (d *desk) projectBudget() *cobra.Command {
	var budget, quota string
	var shares []int
	c := &cobra.Command{
		Use: "budget CUSTOMER PROJECT", Short: "Set the budget and the fund quota of a project; neither: take them away", Args: exactly(2),
		Long: `Sets what a bill month (GMT+8) of an enterprise project should not cost (webhooks hear project.budget.reached at the shares
of --alert), and may not: payments of orders above --quota are refused with CBC.99003155. Usage counts and is not refused.`,
		RunE: func(c *cobra.Command, args []string) error {
			b := project.Budget{Project: args[1], Shares: shares}
			for _, k := range []struct {
				name, text string
				into       *money.Amount
			}{{"budget", budget, &b.Amount}, {"quota", quota, &b.Quota}} {
				if k.text == "" {
					continue
				}
				var err error
				if *k.into, err = money.ParseAmount(k.text); err != nil {
					return fmt.Errorf("--%s: must be a decimal", k.name)
				}
			}
			return d.with(c.Context(), func(h *house.House) error {
				if budget == "" && quota == "" {
					err := h.Counter.DropBudget(c.Context(), local("DropProjectBudget"), args[0], args[1])
					if err == nil {
						fmt.Fprintln(d.out, "taken away")
					}
					return err
				}
				set, err := h.Counter.SetBudget(c.Context(), local("SetProjectBudget"), args[0], b)
				if err == nil {
					fmt.Fprintf(d.out, "set; %s has cost %s\n", set.Cycle, set.Spent)
				}
				return err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&budget, "budget", "", "`amount` that a month should not pass")
	f.StringVar(&quota, "quota", "", "`amount` that payments may not bring a month to pass")
	f.IntSliceVar(&shares, "alert", nil, "`percent` of the budget at which to alert; may be repeated")
	return c
}
