// Package cloudstack (imported as cs) is the CloudStack contract: every command Virga answers at /client/api, and the wire
// types of its answers. One file per noun; a variable per command, named as the command is. Fields stand here only when
// something can fill them, under the names and with the types of CloudStack 4.22.
package cloudstack

//go:generate go run ../../internal/tools/generate ../../docs/reference

import "github.com/virga-cloud/virga/api"

// Version is the API level, as listCapabilities and the root of XML answers say it.
const Version = "4.22.0.0"

// All is every command. What isn't listed here doesn't exist.
var All = []api.Command{
	Login, Logout,
	RegisterOAuthProvider, UpdateOAuthProvider, DeleteOAuthProvider, ListOAuthProvider, AuthorizeOAuthSSO, StartOAuthLogin, VerifyOAuthCode, OAuthLogin,
	SAMLSSO, SAMLSLO, GetSPMetadata, ListIDPs, AuthorizeSAMLSSO, ListSAMLAuthorization, ListAndSwitchSAMLAccount,
	ListAPIs, ListCapabilities,
	QueryAsyncJobResult, ListAsyncJobs, CancelAsyncJob,
	AddLDAPConfiguration, DeleteLDAPConfiguration, ListLDAPConfigurations, LDAPConfig, LDAPRemove, ListLDAPUsers, SearchLDAP, ImportLDAPUsers,
	LDAPCreateAccount, LinkDomainToLDAP, LinkAccountToLDAP, UnlinkDomainFromLDAP,
	CreateUser, UpdateUser, DeleteUser, LockUser, DisableUser, EnableUser, MoveUser, ListUsers, GetUser, RegisterUserKeys, GetUserKeys,
	ListUserKeys, ListUserKeyRules, DeleteUserKeys,
	CreateAccount, UpdateAccount, EnableAccount, LockAccount, DisableAccount, DeleteAccount, MarkDefaultZoneForAccount, ListAccounts,
	CreateDomain, UpdateDomain, DeleteDomain, ListDomains, ListDomainChildren,
	ListResourceLimits, UpdateResourceLimit, UpdateResourceCount,
	CreateRole, ImportRole, UpdateRole, DeleteRole, EnableRole, DisableRole, ListRoles,
	CreateProject, UpdateProject, ActivateProject, SuspendProject, DeleteProject, ListProjects,
	AddAccountToProject, AddUserToProject, DeleteAccountFromProject, DeleteUserFromProject, ListProjectAccounts,
	ListProjectInvitations, UpdateProjectInvitation, DeleteProjectInvitation,
	CreateProjectRole, UpdateProjectRole, DeleteProjectRole, ListProjectRoles,
	CreateProjectRolePermission, UpdateProjectRolePermission, DeleteProjectRolePermission, ListProjectRolePermissions,
	CreateRolePermission, UpdateRolePermission, DeleteRolePermission, ListRolePermissions,
	SetUpTwoFactor, ValidateTwoFactor, ListTwoFactorProviders,
	GetAPILimit, ResetAPILimit,
	ListRegions, AddRegion, UpdateRegion, RemoveRegion,
	CreateZone, UpdateZone, DeleteZone, ListZones,
	CreatePod, UpdatePod, DeletePod, ListPods,
	AddCluster, UpdateCluster, DeleteCluster, ListClusters,
	AddHost, UpdateHost, DeleteHost, ReconnectHost, ListHosts,
	CreateAgentToken, ListAgentTokens, DeleteAgentToken,
	ListHypervisors, ConfigureSimulator, ResetSandbox,
	CreateStoragePool, DeleteStoragePool, ListStoragePools,
	ListCapacity,
	CreateServiceOffering, UpdateServiceOffering, DeleteServiceOffering, ListServiceOfferings,
	CreateDiskOffering, UpdateDiskOffering, DeleteDiskOffering, ListDiskOfferings,
	ListNetworkOfferings,
	ListVPCOfferings,
	ListTemplates,
	RegisterTemplate,
	DeleteTemplate,
	ListIsos,
	ListOsTypes,
	ListOsCategories,
	AddSecondaryStorage,
	AddImageStore,
	ListImageStores,
	RegisterSSHKeyPair,
	CreateSSHKeyPair,
	ListSSHKeyPairs,
	DeleteSSHKeyPair,
	CreateTags, DeleteTags, ListTags,
	AddResourceDetail, RemoveResourceDetail, ListResourceDetails,
	AddAnnotation, RemoveAnnotation, UpdateAnnotationVisibility, ListAnnotations,
	UploadCustomCertificate,
	CreateNetwork, ListNetworks, DeleteNetwork,
	CreateSecurityGroup, UpdateSecurityGroup, DeleteSecurityGroup, ListSecurityGroups,
	CreatePhysicalNetwork, ListPhysicalNetworks, UpdatePhysicalNetwork, DeletePhysicalNetwork, AddTrafficType, ListTrafficTypes,
	ListSupportedNetworkServices, ListNetworkServiceProviders, AddNetworkServiceProvider, UpdateNetworkServiceProvider,
	ConfigureVirtualRouterElement, ListVirtualRouterElements,
	CreateVLANIPRange, ListVLANIPRanges, DeleteVLANIPRange, ListPublicIPAddresses,
	CreateNetworkOffering, UpdateNetworkOffering, DeleteNetworkOffering,
	DeployVirtualMachine, StartVirtualMachine, StopVirtualMachine, RebootVirtualMachine, DestroyVirtualMachine,
	ExpungeVirtualMachine, RecoverVirtualMachine, UpdateVirtualMachine, ChangeServiceForVirtualMachine, ListVirtualMachines,
	ListVolumes, CreateVolume, AttachVolume, DetachVolume, DeleteVolume,
	ListEvents, ListEventTypes, ListAlerts,
	ListConfigurations, ListConfigurationGroups, UpdateConfiguration, ResetConfiguration, GetCloudIdentifier,
}
