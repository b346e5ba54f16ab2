package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListOsTypes shows operating systems.
var ListOsTypes = api.List[ListOsTypesIn, OSType]{
	Name: "listOsTypes", Noun: "Operating system", Role: api.Everyone, Object: "ostype",
	Doc: "Lists the operating systems that templates can have inside.",
}

// ListOsTypesIn chooses operating systems.
type ListOsTypesIn struct {
	api.Paging
	ID          uid.OSType     `api:"id" doc:"Shows only the operating system with this ID."`
	CategoryID  uid.OSCategory `api:"oscategoryid" doc:"Shows only operating systems of this category."`
	Description string         `api:"description,since=3.0.1" doc:"Shows only the operating system of this name."`
}

// ListOsCategories shows categories of operating systems.
var ListOsCategories = api.List[ListOsCategoriesIn, OSCategory]{
	Name: "listOsCategories", Noun: "Operating system", Role: api.Everyone, Object: "oscategory",
	Doc: "Lists the categories of operating systems.",
}

// ListOsCategoriesIn chooses categories.
type ListOsCategoriesIn struct {
	api.Paging
	ID   uid.OSCategory `api:"id" doc:"Shows only the category with this ID."`
	Name string         `api:"name" doc:"Shows only the category of this name."`
}

// OSType is an operating system.
type OSType struct {
	ID           uid.OSType     `json:"id" doc:"The ID of the operating system."`
	Name         string         `json:"name" doc:"The name of the operating system."`
	Description  string         `json:"description" doc:"The name of the operating system."`
	CategoryID   uid.OSCategory `json:"oscategoryid" doc:"The ID of its category."`
	CategoryName string         `json:"oscategoryname,omitempty" doc:"The name of its category."`
	Pending
}

// OSCategory is a category of operating systems.
type OSCategory struct {
	ID   uid.OSCategory `json:"id" doc:"The ID of the category."`
	Name string         `json:"name" doc:"The name of the category."`
	Pending
}
