package cloudtest_test

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// groupsOf are the names of the security groups that a machine shows, in their order.
func groupsOf(vm cs.VirtualMachine) string {
	var names []string
	for _, g := range vm.SecurityGroups {
		names = append(names, g.Name)
	}
	return strings.Join(names, " ")
}

// In a basic zone a machine is in its owner's default group, or in those that were named; the groups are its owner's.
func TestSecurityGroups(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Basic: true}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Basic(t)
		red, redAccount := c.Tenant(t, "red", "red", auth.User)
		blue, _ := c.Tenant(t, "blue", "blue", auth.User)
		can, err := api.Do(ctx, red, cs.ListCapabilities, api.None{})
		if must(t, err); !can.SecurityGroups {
			t.Error("there are no security groups")
		}
		initial := one(t, red, cs.ListSecurityGroups, cs.ListSecurityGroupsIn{})
		if initial.Name != "default" || initial.Account != "red" || initial.DomainPath != "ROOT/red" || initial.VirtualMachineCount != 0 ||
			initial.IngressRules == nil || initial.EgressRules == nil {
			t.Errorf("red begins with %+v", initial)
		}
		web, err := api.Do(ctx, red, cs.CreateSecurityGroup, cs.CreateSecurityGroupIn{Name: "web", Description: "Front ends"})
		must(t, err)
		blues, err := api.Do(ctx, blue, cs.CreateSecurityGroup, cs.CreateSecurityGroupIn{Name: "blues"})
		must(t, err)

		plain := run(t, red, cs.DeployVirtualMachine, box.Deploy())
		if groupsOf(plain) != "default" || plain.SecurityGroups[0].ID != initial.ID || plain.SecurityGroups[0].Account != "red" ||
			plain.SecurityGroups[0].Description != "Default Security Group" || !strings.HasPrefix(plain.IPAddress, "10.20.") {
			t.Errorf("deployed without a word: %+v", plain)
		}
		in := box.Deploy()
		in.SecurityGroupIDs = []uid.SecurityGroup{web.ID, web.ID}
		byID := run(t, red, cs.DeployVirtualMachine, in)
		in = box.Deploy()
		in.SecurityGroups, in.Account, in.DomainID = []string{"web", "default"}, "red", redAccount.Domain
		byName := run(t, c.Client, cs.DeployVirtualMachine, in) // the names are its owner's groups, whoever deploys
		if groupsOf(byID) != "web" || groupsOf(byName) != "default web" {
			t.Errorf("deployed in %q by ID and in %q by name", groupsOf(byID), groupsOf(byName))
		}

		// Another account's group is not found; an admin who reaches it can't use it either.
		in = box.Deploy()
		in.SecurityGroupIDs = []uid.SecurityGroup{blues.ID}
		refused(t, red, cs.DeployVirtualMachine, in, 431, "no security group with id")
		in.Account, in.DomainID = "red", redAccount.Domain
		refused(t, c.Client, cs.DeployVirtualMachine, in, 531, "another account than the machine")
		in.SecurityGroups = []string{"web"}
		refused(t, c.Client, cs.DeployVirtualMachine, in, 431, "use one of them")
		in.SecurityGroupIDs, in.SecurityGroups = nil, []string{"blues"}
		refused(t, c.Client, cs.DeployVirtualMachine, in, 431, `no security group called "blues"`)
		elsewhere := c.Sandbox(t).Deploy()
		elsewhere.SecurityGroups = []string{"web"}
		refused(t, red, cs.DeployVirtualMachine, elsewhere, 431, "has no security groups")
		elsewhere.SecurityGroups = nil
		if vm := run(t, red, cs.DeployVirtualMachine, elsewhere); vm.SecurityGroups != nil {
			t.Errorf("in the advanced zone: %q", groupsOf(vm))
		}

		// Lists.
		for group, want := range map[uid.SecurityGroup]int{web.ID: 2, initial.ID: 2, blues.ID: 0} {
			found, err := listed(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{SecurityGroupID: group})
			if err != nil || len(found) != want {
				t.Errorf("machines in group %s: %d, %v; want %d", group, len(found), err, want)
			}
		}
		if brief := one(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: byID.ID, Details: []string{"secgrp"}}); groupsOf(brief) != "web" ||
			brief.NICs != nil {
			t.Errorf("with its groups alone: %+v", brief)
		}
		if brief := one(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: byID.ID, Details: []string{"min"}}); brief.SecurityGroups != nil {
			t.Errorf("with the least: %+v", brief)
		}
		shown := one(t, red, cs.ListSecurityGroups, cs.ListSecurityGroupsIn{VirtualMachineID: byID.ID})
		if shown.ID != web.ID || shown.VirtualMachineCount != 2 || len(shown.VirtualMachineIDs) != 2 || shown.Description != "Front ends" {
			t.Errorf("its group %+v", shown)
		}
		for who, want := range map[*api.Client]int{red: 2, blue: 2, c.Client: 6} { // the last sees those of system and admin, too
			all, err := listed(t, who, cs.ListSecurityGroups, cs.ListSecurityGroupsIn{Scope: api.Scope{ListAll: true}})
			if err != nil || len(all) != want {
				t.Errorf("all groups: %d, %v; want %d", len(all), err, want)
			}
		}
		for _, none := range []cs.ListSecurityGroupsIn{
			{ID: blues.ID}, {Name: "blues"}, {InProject: cs.InProject{ProjectID: "-1"}}, {Tagged: cs.Tagged{Tags: []cs.KeyValue{{Key: "a"}}}},
		} {
			if found, err := listed(t, red, cs.ListSecurityGroups, none); err != nil || len(found) > 0 {
				t.Errorf("%+v: %v, %v", none, found, err)
			}
		}

		// A stopped machine may change its groups.
		change := cs.UpdateVirtualMachineIn{ID: byID.ID, SecurityGroups: []string{"default"}}
		_, err = api.Do(ctx, red, cs.UpdateVirtualMachine, change)
		refusedWith(t, err, 431, "stop it before")
		run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: byID.ID})
		change.SecurityGroups = []string{"blues"}
		_, err = api.Do(ctx, red, cs.UpdateVirtualMachine, change)
		refusedWith(t, err, 431, `no security group called "blues"`)
		change.SecurityGroups, change.SecurityGroupIDs = nil, []uid.SecurityGroup{initial.ID, blues.ID}
		_, err = api.Do(ctx, red, cs.UpdateVirtualMachine, change)
		refusedWith(t, err, 431, "no security group with id")
		_, err = api.Do(ctx, c.Client, cs.UpdateVirtualMachine, change)
		refusedWith(t, err, 531, "another account than the machine")
		if kept := one(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: byID.ID}); groupsOf(kept) != "web" {
			t.Errorf("a refused change left it in %q", groupsOf(kept))
		}
		_, err = api.Do(ctx, red, cs.UpdateSecurityGroup, cs.UpdateSecurityGroupIn{ID: blues.ID, Name: "mine"})
		refusedWith(t, err, 431, "no security group with id")
		_, err = api.Do(ctx, red, cs.ResetSandbox, cs.ResetSandboxIn{})
		refusedWith(t, err, 432, "")
		change.SecurityGroupIDs = []uid.SecurityGroup{initial.ID}
		changed, err := api.Do(ctx, red, cs.UpdateVirtualMachine, change)
		if must(t, err); groupsOf(changed) != "default" {
			t.Errorf("changed to %q", groupsOf(changed))
		}
		renamed, err := api.Do(ctx, red, cs.UpdateSecurityGroup, cs.UpdateSecurityGroupIn{ID: web.ID, Name: "front"})
		if must(t, err); renamed.Name != "front" || renamed.VirtualMachineCount != 1 {
			t.Errorf("renamed %+v", renamed)
		}

		// A group goes when its last machine is expunged.
		drop := func(who *api.Client, in cs.DeleteSecurityGroupIn) error {
			_, err := api.Do(ctx, who, cs.DeleteSecurityGroup, in)
			return err
		}
		refusedWith(t, drop(red, cs.DeleteSecurityGroupIn{Name: "default"}), 431, "can't be deleted")
		refusedWith(t, drop(red, cs.DeleteSecurityGroupIn{ID: blues.ID}), 431, "no security group with id")
		refusedWith(t, drop(red, cs.DeleteSecurityGroupIn{ID: web.ID}), 431, "in use by 1 virtual machine:")
		run(t, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: byName.ID, Expunge: true})
		must(t, drop(red, cs.DeleteSecurityGroupIn{ID: web.ID}))
	})
}

// Outside basic zones, networks of offerings with security groups have them, in zones that have them; machines elsewhere have none.
func TestSecurityGroupsInSharedNetworks(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	ctx, box := t.Context(), c.Sandbox(t)
	red, account := c.Tenant(t, "red", "red", auth.User)
	lan := cs.CreateNetworkIn{
		Name: "lan", OfferingID: box.NetworkOffering["DefaultSharedNetworkOfferingWithSGService"], ZoneID: box.Zone, VLAN: "60", DomainID: account.Domain,
		Gateway: "10.9.0.1", Netmask: "255.255.255.0", StartIP: "10.9.0.10", EndIP: "10.9.0.19",
	}
	_, err := api.Do(ctx, c.Client, cs.CreateNetwork, lan)
	refusedWith(t, err, 431, "has no security groups")
	change(t, c, "update zones set security_groups = true") // as if it had been made so
	refused(t, red, cs.DeployVirtualMachine, box.Deploy(), 431, "no shared network with security groups that the account may use")
	n, err := api.Do(ctx, c.Client, cs.CreateNetwork, lan)
	must(t, err)
	blue, _ := c.Tenant(t, "blue", "blue", auth.User)
	refused(t, blue, cs.DeployVirtualMachine, box.Deploy(), 431, "no shared network with security groups") // it is for red's domain
	lan.Name, lan.VLAN, lan.OfferingID = "plain", "61", box.NetworkOffering["DefaultSharedNetworkOffering"]
	plain, err := api.Do(ctx, c.Client, cs.CreateNetwork, lan)
	must(t, err)

	vm := run(t, red, cs.DeployVirtualMachine, box.Deploy())
	if groupsOf(vm) != "default" || len(vm.NICs) != 1 || vm.NICs[0].NetworkID != n.ID {
		t.Errorf("without a word it is in %q: %+v", groupsOf(vm), vm.NICs)
	}
	in := box.Deploy()
	in.NetworkIDs = []uid.Network{plain.ID, n.ID}
	vm = run(t, red, cs.DeployVirtualMachine, in)
	if groupsOf(vm) != "default" {
		t.Errorf("in a network with groups: %q", groupsOf(vm))
	}
	in.NetworkIDs = []uid.Network{plain.ID}
	vm = run(t, red, cs.DeployVirtualMachine, in)
	if groupsOf(vm) != "" {
		t.Errorf("in a network without groups: %q", groupsOf(vm))
	}
	in.SecurityGroups = []string{"default"}
	refused(t, red, cs.DeployVirtualMachine, in, 431, "none of the machine's networks has security groups")
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	_, err = api.Do(ctx, red, cs.UpdateVirtualMachine, cs.UpdateVirtualMachineIn{ID: vm.ID, SecurityGroups: []string{"default"}})
	refusedWith(t, err, 431, "in no network with security groups")
}
