package upstream

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// bug is one of them.
type bug struct {
	id, story string
	// tests are folder#Function or folder#Function/Case, from operator/internal or, beginning with /,
	// from the top.
	tests []string
}

// bugs are those that were repaired after the specification was written (T), and those that are
// there to this day (D).
var bugs = []bug{
	{"T1", "a VirtualMachine was owned by a Machine that its cluster does not have, and could be collected for it",
		[]string{"/virtualmachine/desired#TestGoldenFiles", "machine#TestCreationInOrder"}},
	{"T2", "storage classes, claims and namespaces were looked up in the supervisor", []string{
		"machine#TestStorageClassMissing", "machine#TestNamespaceIsCreated", "machine#TestCreationThatIsRefused/Claim",
	}},
	{"T3", "a deletion while the cluster was away skipped the VirtualMachine and dropped the finalizer",
		[]string{"machine#TestDeletion/Unreachable"}},
	{"T4", "creation used a prefix that deletion did not know",
		[]string{"/virtualmachine/desired#TestVMName", "machine#TestDeletionInOrder"}},
	{"T5", "a NetworkConfiguration's name was too long for its definition",
		[]string{"/virtualmachine/desired#TestNetworkConfigurationName"}},
	{"T6", "the provider was read from the wrong field",
		[]string{"machine#TestReconcileWhatIsNotOurs/SeedEra", "machine#TestReconcileWhatIsNotOurs/Other"}},
	{"T7", "interfaces without addresses, families mixed, public taken for private",
		[]string{"/virtualmachine/observed#TestNetworkInterfaces", "/virtualmachine/desired#TestParseMAC"}},
	{"T8", "a running Machine was never looked at again, then every few seconds",
		[]string{"machine#TestCostOfAMachine", "machine#TestRestEnds", "scenarios#TestCost"}},
	{"T9", "a conflict was ignored and creation went on without a recorded place",
		[]string{"machine#TestCrashAtEveryWrite", "machine#TestStaleMachine"}},
	{"T10", "Machines of other providers were reconciled",
		[]string{"machine#TestReconcileWhatIsNotOurs/Other", "machine#TestDeletion/OtherProvider"}},
	{"T11", "a second interface was attached by itself", []string{"/virtualmachine/desired#TestGolden/vlan-dhcp"}},
	{"T12", "access modes that did not fit the storage class, or none", []string{
		"/virtualmachine/desired#TestGolden/disks-buses", "/virtualmachine/desired#TestGolden/image-iso", "admitted#TestISO",
	}},
	{"T13", "a new MAC address at every try; a write without a change; a crash on volumes without a claim", []string{
		"/virtualmachine/desired#TestMACProperties", "/virtualmachine/desired#TestNetworkConfigurationInterfaces",
		"/virtualmachine/observed#TestDisks",
	}},
	{"T14", "a CNI plug-in that nodes lack; a lost race was a failure",
		[]string{"/virtualmachine/desired#TestGolden/vlan-dhcp", "machine#TestLostRaces"}},
	{"T15", "empty user data was dropped, and the disk with it", []string{"/virtualmachine/desired#TestEmptyUserData"}},
	{"T16", "a VLAN with DHCP became the pod network", []string{"/virtualmachine/desired#TestGolden/vlan-dhcp",
		"/virtualmachine/desired#TestRefusals/NetworkWithoutStatus"}},
	{"T17", "the phase came from the instance alone",
		[]string{"/virtualmachine/observed#TestStates", "/virtualmachine/observed#TestInstanceBehind"}},
	{"T18", "the claim of an ISO image was deleted in use: stuck, and the next start with it",
		[]string{"admitted#TestISO"}},
	{"T19", "the first NetworkNamespace of a list was the wrong one",
		[]string{"/virtualmachine/desired#TestSelectNetworkNamespace/Several"}},
	{"T20", "the role lacked rights",
		[]string{"/testkit/fleet#TestRightsAreTheDocumentedOnes", "scenarios#TestSeedScenarios"}},
	{"T21", "labels were renamed, and what had the old ones was lost",
		[]string{"machine#TestAdoptsThePublicOperators", "machine#TestGuard/EarlierMAC"}},
	{"T22", "Machine definitions were demanded of remote clusters", []string{"/clusterstatus/startup#TestRun/healthy"}},
	{"D1", "the finalizer went while the virtual machine ran, and its addresses were given to others",
		[]string{"machine#TestDeletionInOrder", "machine#TestDeletion/Plain"}},
	{"D2", "a client shared by all workers: half of the VirtualMachines in the wrong cluster",
		[]string{"machine#TestConcurrentReconciles", "scenarios#TestEachInItsOwnCluster"}},
	{"D3", "a cluster that did not answer counted as one without the VirtualMachine",
		[]string{"machine#TestGuard/SilentNotFresh", "machine#TestGuard/OursElsewhere", "machine#TestAbsenceIsProven"}},
	{"D4", "any VirtualMachine of the name was adopted, and later deleted",
		[]string{"machine#TestGuard/Foreign", "machine#TestGuard/Unlabelled", "/virtualmachine/desired#TestIsOurs"}},
	{"D5", "administrators' NetworkAttachmentDefinitions were deleted", []string{"machine#TestAttachmentsStay"}},
	{"D6", "a Machine with a wrong reference could never be deleted",
		[]string{"machine#TestDeletionOfOneNeverPlaced", "scenarios#TestSeedScenarios"}},
	{"D7", "labels of before, or a second interface, made deletion stick", []string{
		"/virtualmachine/desired#TestNetworkConfigurationOwned", "machine#TestAdoptsThePublicOperators",
		"machine#TestDeletion/LabelsLost",
	}},
	{"D8", "every status write woke the Machine: a hot loop",
		[]string{"/virtualmachine/observed#TestInvariants", "machine#TestCostOfAMachine"}},
	{"D9", "hot Machines starved those of the first list",
		[]string{"app#TestHotMachinesStarveNobody/Ours", "machine#TestCostOfRest", "scenarios#TestCost"}},
	{"D10", "one cluster that hung blocked all",
		[]string{"/clusterstatus/startup#TestHungClusterDelaysNoOther", "/clientmgr/integration#TestServerFreezes"}},
	{"D11", "an unreachable cluster left no trace in the status",
		[]string{"machine#TestLossOfContact", "/virtualmachine/observed#TestOutcomes/Unreachable"}},
	{"D12", "one cluster down, and the operator ended",
		[]string{"/clusterstatus/startup#TestRun", "/clientmgr/integration#TestTroubleFromTheBeginning"}},
	{"D13", "a cached read without the right to it waited for ever", []string{"machine#TestSourcesAreReadLive"}},
	{"D14", "new credentials were ignored until a restart",
		[]string{"/clientmgr/integration#TestRotationsListNothing", "/clientmgr/integration#TestUnauthorizedThenFixed"}},
	{"D15", "a failure was overwritten, and its message never cleared",
		[]string{"/virtualmachine/observed#TestFailures/OverWhenItRuns", "/virtualmachine/observed#TestInvariants"}},
	{"D16", "storage and creation failures were not recorded", []string{"machine#TestStorageClassMissing",
		"machine#TestCreationThatIsRefused/Webhook", "/virtualmachine/observed#TestFailures/StorageClass"}},
	{"D17", "a provider that changed left a finalizer behind", []string{"machine#TestDeletion/OtherProvider"}},
	{"D18", "a VirtualMachine that vanished was made anew, blank",
		[]string{"machine#TestVanished", "/clientmgr/integration#TestIdentityChange"}},
	{"D19", "disks were made before anything was checked; two of them shared a claim or a name", []string{
		"/virtualmachine/desired#TestRefusals/TwoBootDisks", "/virtualmachine/desired#TestRefusals/UnnamedAndRoot",
		"machine#TestCreationThatIsRefused/UnknownClass",
	}},
	{"D20", "the operator asked a server that somebody wrote into a Machine",
		[]string{"/virtualmachine/desired#TestImports", "/virtualmachine/desired#TestGolden/image-iso"}},
	{"D21", "all pods and events of a namespace were listed for each Machine", []string{"machine#TestNothingIsListed"}},
	{"D22", "a stopped Machine kept its addresses and was a phase that nobody knows; conditions were appended",
		[]string{"/virtualmachine/observed#TestStopped", "/virtualmachine/observed#TestOutcomes/Stopped"}},
	{"D23", "a disk without a target was the device /dev/", []string{"/virtualmachine/observed#TestDisks"}},
	{"D24", "what others had written into the status was lost",
		[]string{"/virtualmachine/observed#TestForeignConditions", "/virtualmachine/observed#TestLedgerKept"}},
	{"D25", "names that were cut collided or broke their pattern",
		[]string{"/virtualmachine/desired#TestNetworkConfigurationName", "/virtualmachine/desired#TestNames"}},
	{"D26", "all Secrets were watched; a default that could not be set",
		[]string{"/clientmgr#TestUnwatchedSecrets", "app#TestReadmeEnvironment"}},
	{"D27", "what exists already was an error", []string{"machine#TestLostRaces"}},
	{"D28", "an interface got its name before its VLAN was known, and a second one afterwards", []string{
		"/virtualmachine/desired#TestRefusals/StaticWithoutStatus",
		"/virtualmachine/desired#TestNetworkConfigurationInterfaces/Stray",
	}},
}

// TestBugs looks that the list is whole, and that every test that it names is there.
func TestBugs(t *testing.T) {
	listed := map[string]bool{}
	for _, b := range bugs {
		listed[b.id] = true
		if b.story == "" || len(b.tests) == 0 {
			t.Errorf("%s has no story, or no test", b.id)
		}
		for _, test := range b.tests {
			if err := find(test); err != nil {
				t.Errorf("%s (%s): %v", b.id, b.story, err)
			}
		}
	}
	for letter, last := range map[string]int{"T": 22, "D": 28} {
		for i := 1; i <= last; i++ {
			if id := letter + strconv.Itoa(i); !listed[id] {
				t.Errorf("%s is missing", id)
			}
		}
	}
}

// find looks for a test function, and for its case, which is the key of a table or the name of a
// sub-test.
func find(test string) error {
	folder, name, _ := strings.Cut(test, "#")
	function, sub, _ := strings.Cut(name, "/")
	top, found := strings.CutPrefix(folder, "/")
	path := filepath.Join("..", folder)
	if found {
		path = filepath.Join("..", "..", "..", top)
	}
	files, err := filepath.Glob(filepath.Join(path, "*_test.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		for _, declaration := range tree.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if ok && f.Name.Name == function && f.Recv == nil {
				return has(tree, f, sub)
			}
		}
	}
	return fmt.Errorf("there is no test %s", test)
}

// has looks for a case in a function, or in the tables of its file.
func has(file *ast.File, function *ast.FuncDecl, sub string) error {
	if sub == "" {
		return nil
	}
	found := false
	ast.Inspect(file, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		found = found || ok && literal.Value == strconv.Quote(sub)
		return true
	})
	if !found {
		return fmt.Errorf("%s has no case %q", function.Name.Name, sub)
	}
	return nil
}
