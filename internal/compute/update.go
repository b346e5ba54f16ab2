package compute

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/firmware"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/vmgroup"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Change says what to change of a machine. Zero fields leave things as they are.
type Change struct {
	Name           string // while it is stopped
	DisplayName    string
	InstanceName   string  // while it is stopped; root admins only
	Group          *string // "" takes it out of its group
	HAEnabled      *bool
	Dynamic        *bool
	OSType         uid.OSType
	UserData       *string // Base64; the guest finds it after its next start
	Details        map[string]string
	Groups         secgroup.Wanted // while it is stopped; the zero value leaves it where it is
	CleanupDetails bool            // removes all details that can be removed
}

// Update changes what a machine is called and what is known of it.
func (s *Service) Update(ctx context.Context, id uid.VM, c Change) error {
	if err := c.check(s.settings); err != nil {
		return err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		vm, err := Locked(ctx, tx, auth.From(ctx).Reach(), id)
		if err != nil {
			return err
		}
		if err := c.allowed(vm); err != nil {
			return err
		}
		if c.OSType != "" {
			known, err := image.OSTypeNames(ctx, tx, []uid.OSType{c.OSType})
			if err != nil {
				return err
			}
			if known[c.OSType] == "" {
				return fault.Missing(c.OSType)
			}
		}
		if c.Group != nil {
			if vm.Group, err = vmgroup.For(ctx, tx, vm.Account, vm.Domain, *c.Group); err != nil {
				return err
			}
		}
		if !c.Groups.IsZero() {
			if err := regroup(ctx, tx, vm, c.Groups); err != nil {
				return err
			}
		}
		c.apply(&vm)
		if err := saveChange(ctx, tx, vm); err != nil {
			return err
		}
		return happened(ctx, tx, vm, event.VMUpdate, "changed")
	})
	if db.IsUnique(err) {
		return fault.Conflictf("another virtual machine has instance name %q, or another request has made group %q at this moment", c.InstanceName,
			value(c.Group))
	}
	return err
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (c Change) check(settings *setting.Settings) error {
	for parameter, name := range map[string]string{"name": c.Name, "instancename": c.InstanceName} {
		if err := checkHostName(parameter, name); err != nil {
			return err
		}
	}
	if c.CleanupDetails && len(c.Details) > 0 {
		return fault.Invalidf("cleanupdetails removes all details: leave out details, or cleanupdetails")
	}
	if err := errors.Join(c.Groups.Check(), firmware.Check(c.Details)); err != nil {
		return err
	}
	return checkUserData(settings, value(c.UserData))
}

// allowed refuses a change that the machine's state forbids. What a machine was started with does not change under it.
func (c Change) allowed(vm VM) error {
	switch {
	case vm.State == Destroyed || vm.State == Expunging || vm.State == Failed:
		return fault.Conflictf("virtual machine %q is %s and can't be changed", vm.Name, vm.State)
	case c.Name != "" && c.Name != vm.Name && vm.State != Stopped:
		return fault.Conflictf("virtual machine %q is %s; stop it before you give it another host name", vm.Name, vm.State)
	case c.InstanceName != "" && c.InstanceName != vm.InstanceName && vm.State != Stopped:
		return fault.Conflictf("virtual machine %q is %s; stop it before you give it another instance name", vm.Name, vm.State)
	case !c.Groups.IsZero() && vm.State != Stopped:
		return fault.Conflictf("virtual machine %q is %s; stop it before you put it into other security groups", vm.Name, vm.State)
	case c.UserData != nil && vm.State != Stopped && vm.State != Running:
		return fault.Conflictf("virtual machine %q is %s; its user data can be changed while it is Running or Stopped", vm.Name, vm.State)
	}
	if c.CleanupDetails || c.Details != nil {
		if vm.State != Stopped && firmware.Wanted(c.Details) != firmware.Wanted(vm.Details) {
			return fault.Conflictf("virtual machine %q is %s; stop it before you give it another firmware (detail %s)", vm.Name, vm.State,
				firmware.Detail)
		}
	}
	for k, v := range c.Details {
		if has, ok := vm.Details[k]; isSize(k) && (!ok || has != v) {
			return fault.Invalidf("%s is changed with changeServiceForVirtualMachine; leave it out of details", k)
		}
	}
	return nil
}

func (c Change) apply(vm *VM) {
	set(&vm.Name, c.Name)
	set(&vm.DisplayName, c.DisplayName)
	set(&vm.InstanceName, c.InstanceName)
	set(&vm.OSType, c.OSType)
	if c.HAEnabled != nil {
		vm.HAEnabled = *c.HAEnabled
	}
	if c.Dynamic != nil {
		vm.Dynamic = *c.Dynamic
	}
	if c.UserData != nil {
		vm.UserData = *c.UserData
	}
	if c.CleanupDetails || c.Details != nil {
		kept := map[string]string{}
		for k, v := range vm.Details {
			if isSize(k) {
				kept[k] = v
			}
		}
		maps.Copy(kept, c.Details)
		vm.Details = kept
	}
}

func set[T comparable](p *T, v T) {
	var zero T
	if v != zero {
		*p = v
	}
}

// checkHostName refuses what is no host name; "" is a name that was not given.
func checkHostName(parameter, name string) error {
	if name != "" && !hostName.MatchString(name) {
		return fault.Invalidf("%s %q is no host name: want 1 to 63 letters, digits and hyphens, beginning with a letter "+
			"and not ending with a hyphen", parameter, name)
	}
	return nil
}

func checkUserData(settings *setting.Settings, text string) error {
	if most := setting.MostUserData.Of(settings); int64(len(text)) > most {
		return fault.Invalidf("userdata has %d characters; it may have %d (setting vm.userdata.max.length)", len(text), most)
	}
	if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		return fault.Invalidf("userdata is not base64: %v", err)
	}
	return nil
}

// ChangeService gives a stopped machine another service offering. details say what a customized one leaves open.
func (s *Service) ChangeService(ctx context.Context, id uid.VM, to uid.ServiceOffering, details map[string]string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		vm, err := Locked(ctx, tx, auth.From(ctx).Reach(), id)
		if err != nil {
			return err
		}
		if vm.State != Stopped {
			return fault.Conflictf("virtual machine %q is %s; stop it before you change its service offering", vm.Name, vm.State)
		}
		now, err := offering.ComputesByID(ctx, tx, []uid.ServiceOffering{vm.Offering})
		if err != nil {
			return err
		}
		off, err := offering.Deployable(ctx, tx, to, vm.Zone)
		if err != nil {
			return err
		}
		if err := now[vm.Offering].ChangesTo(off); err != nil {
			return err
		}
		if err := unkept(ctx, tx, vm, "its service offering is changed"); err != nil {
			return err
		}
		before := vm.use()
		if err := vm.resize(off, details); err != nil {
			return err
		}
		if err := saveChange(ctx, tx, vm); err != nil {
			return err
		}
		if err := s.rootOffering(ctx, tx, vm); err != nil {
			return err
		}
		if err := happened(ctx, tx, vm, event.VMUpgrade, "changed the service offering of"); err != nil {
			return err
		}
		more, less := before.To(vm.use())
		if err := account.Give(ctx, tx, vm.Account, less); err != nil {
			return err
		}
		return account.Take(ctx, tx, vm.Account, more)
	})
}

// resize gives the machine what an offering, or its details, say.
func (vm *VM) resize(off offering.Compute, details map[string]string) (err error) {
	if vm.CPUNumber, vm.CPUSpeed, vm.MemoryMB, err = offering.Size(off, details); err != nil {
		return err
	}
	kept := map[string]string{}
	for k, v := range vm.Details {
		if !isSize(k) {
			kept[k] = v
		}
	}
	maps.Copy(kept, details)
	vm.Offering, vm.Details = off.ID, kept
	return nil
}

// isSize tells whether a detail says what a customized offering leaves open.
func isSize(detail string) bool {
	return strings.EqualFold(detail, "cpuNumber") || strings.EqualFold(detail, "cpuSpeed") || strings.EqualFold(detail, "memory")
}

// rootOffering has the machine's root disk show the machine's offering.
func (s *Service) rootOffering(ctx context.Context, tx db.Tx, vm VM) error {
	volumes, err := volume.Of(ctx, tx, []uid.VM{vm.ID})
	if err != nil {
		return err
	}
	for _, v := range volumes[vm.ID] {
		if isRoot(v) {
			return volume.SetServiceOffering(ctx, tx, v.ID, vm.Offering)
		}
	}
	return nil
}
