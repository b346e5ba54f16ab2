package cloudtest_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// storms are the tests in which each plan weathers every accident.
var storms = map[string]func(*testing.T){
	"account.close":           TestStormDeleteAccount,
	"account.disable":         TestStormDisableAccount,
	"account.zone":            TestStormMarkDefaultZone,
	"address.associate":       TestStormAddressAssociate,
	"address.release":         TestStormAddressRelease,
	"address.show":            TestStormAddressShow,
	"certificate.upload":      TestStormCertificateUpload,
	"detail.add":              TestStormDetailAdd,
	"detail.remove":           TestStormDetailRemove,
	"domain.close":            TestStormDeleteDomain,
	"extraction.create":       TestStormExtraction,
	"host.add":                TestStormHostAdd,
	"host.delete":             TestStormHostDelete,
	"host.maintain":           TestStormHostMaintain,
	"host.maintain.end":       TestStormHostMaintainEnd,
	"host.reconnect":          TestStormHostReconnect,
	"keys.delete":             TestStormDeleteKeys,
	"network.delete":          TestStormNetworkDelete,
	"network.restart":         TestStormNetworkRestart,
	"networkprovider.add":     TestStormNetworkProviderAdd,
	"networkprovider.update":  TestStormNetworkProviderUpdate,
	"physicalnetwork.create":  TestStormPhysicalNetworkCreate,
	"physicalnetwork.delete":  TestStormPhysicalNetworkDelete,
	"physicalnetwork.update":  TestStormPhysicalNetworkUpdate,
	"router.destroy":          TestStormRouterDestroy,
	"router.reboot":           TestStormRouterReboot,
	"router.retire":           TestStormRouterRetire,
	"router.start":            TestStormRouterStart,
	"router.stop":             TestStormRouterStop,
	"routerelement.configure": TestStormRouterElementConfigure,
	"project.change":          TestStormChangeProject,
	"project.close":           TestStormDeleteProject,
	"project.suspend":         TestStormSuspendProject,
	"rule.change":             TestStormRuleChange,
	"rule.show":               TestStormRuleShow,
	"secgroup.change":         TestStormSecurityGroupChange,
	"snapshot.create":         TestStormSnapshotCreate,
	"snapshot.delete":         TestStormSnapshotDelete,
	"snapshot.revert":         TestStormSnapshotRevert,
	"tag.create":              TestStormTagCreate,
	"tag.delete":              TestStormTagDelete,
	"template.create":         TestStormCreateTemplate,
	"template.delete":         TestStormDeleteTemplate,
	"template.fetch":          TestStormFetchTemplate,
	"traffictype.add":         TestStormTrafficTypeAdd,
	"upload.take":             TestStormUpload,
	"user.disable":            TestStormDisableUser,
	"vm.cd":                   TestStormCD,
	"vm.deploy":               TestStormDeploy,
	"vm.destroy":              TestStormDestroy,
	"vm.destroy.volumes":      TestStormDestroyWithVolume,
	"vm.expunge":              TestStormExpunge,
	"vm.keys":                 TestStormResetKeys,
	"vm.migrate":              TestStormMigrate,
	"vm.password":             TestStormResetPassword,
	"vm.prepare":              TestStormPrepare,
	"vm.reboot":               TestStormReboot,
	"vm.reboot.forced":        TestStormRebootForced,
	"vm.settle":               TestStormSettle,
	"vm.start":                TestStormStart,
	"vm.stop":                 TestStormStop,
	"vm.wipe":                 TestStormWipe,
	"vmsnapshot.create":       TestStormVMSnapshotCreate,
	"vmsnapshot.delete":       TestStormVMSnapshotDelete,
	"vmsnapshot.revert":       TestStormVMSnapshotRevert,
	"volume.attach":           TestStormVolumeAttach,
	"volume.create":           TestStormVolumeCreate,
	"volume.create.attached":  TestStormVolumeCreateAttached,
	"volume.delete":           TestStormVolumeDelete,
	"volume.detach":           TestStormVolumeDetach,
	"volume.migrate":          TestStormMigrateVolume,
	"volume.resize":           TestStormVolumeResize,
}

// No plan is without a storm: a new one needs a test of its own, and a line in the table above.
func TestEveryPlanHasAStorm(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("../cloud/testdata/plans.golden")
	must(t, err)
	plans := map[string]bool{}
	for line := range strings.Lines(string(golden)) {
		name, _, _ := strings.Cut(line, " ")
		plans[name] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(plans)), slices.Sorted(maps.Keys(storms))); diff != "" {
		t.Errorf("plans, and those of them that have a storm:\n%s", diff)
	}
}
