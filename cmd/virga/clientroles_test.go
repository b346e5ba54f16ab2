package main_test

import (
	"strings"

	"github.com/apache/cloudstack-go/v2/cloudstack"
)

// roles makes a role, gives it to somebody, and looks what this one may do then.
func (s apache) roles() {
	t, roles := s.t, s.Role
	asked := roles.NewCreateRoleParams("lookers")
	asked.SetType("User")
	role, err := roles.CreateRole(asked)
	if must(t, err); role.Type != "User" || role.State != "enabled" || role.Isdefault || !role.Ispublic {
		t.Errorf("the new role: %+v", role)
	}
	var rules []string
	for _, one := range [][2]string{{"listEvents", "deny"}, {"list*", "allow"}} {
		rule, err := roles.CreateRolePermission(roles.NewCreateRolePermissionParams(one[1], role.Id, one[0]))
		if must(t, err); rule.Rolename != "lookers" || rule.Rule != one[0] || rule.Permission != one[1] {
			t.Errorf("the new rule: %+v", rule)
		}
		rules = append(rules, rule.Id)
	}
	person := s.Account.NewCreateAccountParams("l@example.com", "L", "Ooker", "secret-42", "looker")
	person.SetRoleid(role.Id)
	account, err := s.Account.CreateAccount(person)
	if must(t, err); account.Roleid != role.Id || account.Rolename != "lookers" || account.Roletype != "User" || account.Accounttype != 0 {
		t.Errorf("the new account: %+v", account)
	}
	keys, err := s.User.RegisterUserKeys(s.User.NewRegisterUserKeysParams(account.User[0].Id))
	must(t, err)
	looker := cloudstack.NewClient(s.endpoint, keys.Apikey, keys.Secretkey, false)
	events := func() error {
		_, err := looker.Event.ListEvents(looker.Event.NewListEventsParams())
		return err
	}
	if _, err := looker.Zone.ListZones(looker.Zone.NewListZonesParams()); err != nil {
		t.Errorf("what the role allows: %v", err)
	}
	if err := events(); err == nil || !strings.HasPrefix(err.Error(), "CloudStack API error 432 ") {
		t.Errorf("what the role denies: %v, want the error 432", err)
	}
	order := roles.NewUpdateRolePermissionParams(role.Id)
	order.SetRuleorder([]string{rules[1], rules[0]})
	if done, err := roles.UpdateRolePermission(order); err != nil || !done.Success {
		t.Errorf("another order: %+v, %v", done, err)
	}
	if err := events(); err != nil {
		t.Errorf("what the role allows first: %v", err)
	}
	if found, _, err := roles.GetRoleByName("lookers"); err != nil || found.Id != role.Id {
		t.Errorf("by name: %+v, %v", found, err)
	}
	of := roles.NewListRolePermissionsParams()
	of.SetRoleid(role.Id)
	if list, err := roles.ListRolePermissions(of); err != nil || list.Count != 2 || list.RolePermissions[0].Id != rules[1] {
		t.Errorf("the rules: %+v, %v", list, err)
	}
	if _, err := roles.DeleteRole(roles.NewDeleteRoleParams(role.Id)); err == nil || !strings.Contains(err.Error(), "in use by 1 account:") {
		t.Errorf("a role in use is deleted: %v", err)
	}
}
