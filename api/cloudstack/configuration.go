package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListConfigurations shows the cloud's settings.
var ListConfigurations = api.List[ListConfigurationsIn, Configuration]{
	Name: "listConfigurations", Noun: "Configuration", Role: api.RootOnly, Object: "configuration",
	Doc: "Lists the settings of the cloud with their values, by name.",
}

// ListConfigurationsIn chooses settings.
type ListConfigurationsIn struct {
	api.Paging
	SettingPlace
	Name     string `api:"name" doc:"Shows only the setting of this name."`
	Category string `api:"category" doc:"Shows only settings of this category, Advanced for instance."`
	Group    string `api:"group,since=4.18.0" doc:"Shows only settings of this group, Compute for instance."`
	Subgroup string `api:"subgroup,since=4.18.0" doc:"Shows only settings of this part of a group."`
	Parent   string `api:"parent,since=4.18.0" doc:"Shows only settings that have an effect where this one is true."`

	ImageStoreID uid.ImageStore `api:"imagestoreuuid" doc:"The ID of the image store whose own value is meant. No setting has one."`
}

// UpdateConfiguration changes a setting.
var UpdateConfiguration = api.Call[UpdateConfigurationIn, Configuration]{
	Name: "updateConfiguration", Noun: "Configuration", Role: api.RootOnly, Object: "configuration", Event: "CONFIGURATION.VALUE.EDIT",
	Doc: "Changes a setting. The server that is asked works by the new value at once, every other one within two seconds.",
}

// UpdateConfigurationIn names the setting and its new value.
type UpdateConfigurationIn struct {
	SettingPlace
	Name  string `api:"name,required" doc:"The name of the setting."`
	Value string `api:"value,max=4095" doc:"The new value. Without one the setting gets back the value that it had before anybody changed it."`

	ImageStoreID uid.ImageStore `api:"imagestoreuuid" doc:"The ID of the image store whose own value is meant. No setting has one."`
}

// ResetConfiguration gives a setting its first value.
var ResetConfiguration = api.Call[ResetConfigurationIn, Configuration]{
	Name: "resetConfiguration", Noun: "Configuration", Role: api.RootOnly, Object: "configuration", Event: "CONFIGURATION.VALUE.EDIT",
	Since: "4.16.0",
	Doc:   "Gives a setting back the value that it had before anybody changed it.",
}

// ResetConfigurationIn names the setting.
type ResetConfigurationIn struct {
	SettingPlace
	Name string `api:"name,required" doc:"The name of the setting."`

	ImageStoreID uid.ImageStore `api:"imagestoreid" doc:"The ID of the image store whose own value is meant. No setting has one."`
}

// SettingPlace is the one thing whose own value is meant; none of it means the value of the whole cloud.
type SettingPlace struct {
	ZoneID    uid.Zone    `api:"zoneid" doc:"The ID of the zone whose own value is meant."`
	ClusterID uid.Cluster `api:"clusterid" doc:"The ID of the cluster whose own value is meant."`
	StorageID uid.Pool    `api:"storageid" doc:"The ID of the storage pool whose own value is meant."`
	AccountID uid.Account `api:"accountid" doc:"The ID of the account whose own value is meant."`
	DomainID  uid.Domain  `api:"domainid" doc:"The ID of the domain whose own value is meant."`
}

// Configuration is a setting.
type Configuration struct {
	ID           int64  `json:"id,omitempty" doc:"Absent: it would be a number, and what can have a value of its own has none."`
	Category     string `json:"category" doc:"The category of the setting."`
	Group        string `json:"group" doc:"The part of the cloud that the setting steers."`
	Subgroup     string `json:"subgroup" doc:"The part of the group."`
	Component    string `json:"component" doc:"The part of the program that reads it: the group, as there is one program."`
	Parent       string `json:"parent,omitempty" doc:"The setting without whose being true this one has no effect, where there is one."`
	Name         string `json:"name" doc:"The name of the setting."`
	Value        string `json:"value" doc:"The value; of a single zone, cluster … its own, or the one that it has without."`
	DefaultValue string `json:"defaultvalue" doc:"The value where nobody changed it."`
	Description  string `json:"description" doc:"What the setting steers."`
	DisplayText  string `json:"displaytext" doc:"The name in plain words."`
	Scope        string `json:"scope" doc:"What can have a value: Global, and perhaps a Zone, Cluster, StoragePool, Domain or Account of its own; in lists for one of these, that one."`
	Type         string `json:"type" doc:"The kind of value: Number, Decimal, Boolean, String or Select."`
	Options      string `json:"options,omitempty" doc:"The values that there are, where they can be listed."`
	IsDynamic    bool   `json:"isdynamic" doc:"Whether a change has effect without a restart. All settings are so."`
	Pending
}

// ListConfigurationGroups shows the groups of settings.
var ListConfigurationGroups = api.List[ListConfigurationGroupsIn, ConfigurationGroup]{
	Name: "listConfigurationGroups", Noun: "Configuration", Role: api.RootOnly, Object: "configurationgroup", Since: "4.18.0",
	Doc: "Lists the groups of settings, in the order in which they are to be shown.",
}

// ListConfigurationGroupsIn chooses groups.
type ListConfigurationGroupsIn struct {
	api.Paging
	Group string `api:"group" doc:"Shows only the group of this name."`
}

// ConfigurationGroup is a group of settings.
type ConfigurationGroup struct {
	Name        string                  `json:"name" doc:"The name of the group."`
	Description string                  `json:"description" doc:"What its settings steer."`
	Precedence  int64                   `json:"precedence" doc:"The place of the group; the first has 1."`
	Subgroups   []ConfigurationSubgroup `json:"subgroup" doc:"The parts of the group."`
	Pending
}

// ConfigurationSubgroup is a part of a group of settings.
type ConfigurationSubgroup struct {
	Name       string `json:"name" doc:"The name of the part."`
	Precedence int64  `json:"precedence" doc:"The place of the part in its group; the first has 1."`
}

// GetCloudIdentifier tells this cloud from others.
var GetCloudIdentifier = api.Call[GetCloudIdentifierIn, CloudIdentifier]{
	Name: "getCloudIdentifier", Noun: "Configuration", Role: api.Everyone, Object: "cloudidentifier",
	Doc: "Shows what tells this cloud from all others, signed with a user's secret key.",
}

// GetCloudIdentifierIn names the user.
type GetCloudIdentifierIn struct {
	UserID uid.User `api:"userid,required" doc:"The ID of the user whose key signs."`
}

// CloudIdentifier tells a cloud from others.
type CloudIdentifier struct {
	UserID          uid.User `json:"userid" doc:"The ID of the user whose key signed."`
	CloudIdentifier string   `json:"cloudidentifier" doc:"What tells this cloud from all others; it never changes."`
	Signature       string   `json:"signature,omitempty" doc:"HMAC-SHA1 of the identifier under the user's secret key, in base64; absent where the user has no keys."`
	Pending
}
