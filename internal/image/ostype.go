package image

import (
	"context"
	"maps"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Catalogue is the operating systems that clouds are expected to know, by category: CloudStack's names, so that clients find what
// they look for.
func Catalogue() map[string][]string {
	const bits32, bits64 = " (32-bit)", " (64-bit)"
	c := map[string][]string{
		"None":  {"None"},
		"Novel": {"Novell Netware 5.1", "Novell Netware 6.x"},
		"Unix": {"FreeBSD (32-bit)", "FreeBSD (64-bit)", "FreeBSD 13 (64-bit)", "FreeBSD 14 (64-bit)", "OpenBSD (64-bit)",
			"NetBSD (64-bit)", "Sun Solaris 10(32-bit)", "Sun Solaris 10(64-bit)", "Sun Solaris 11 (64-bit)"},
		"Other": {"Other (32-bit)", "Other (64-bit)", "Other Linux (32-bit)", "Other Linux (64-bit)", "Other CentOS (32-bit)",
			"Other CentOS (64-bit)", "Other Ubuntu (32-bit)", "Other Ubuntu (64-bit)", "Other PV (32-bit)", "Other PV (64-bit)",
			"Fedora Linux", "Fedora Linux (64 bit)", "Alpine Linux (64-bit)", "Arch Linux (64-bit)", "Gentoo Linux (64-bit)", "DOS"},
		"CentOS": {"CentOS 7", "CentOS 8", "CentOS Stream 8", "CentOS Stream 9", "CentOS Stream 10", "AlmaLinux 8",
			"AlmaLinux 9", "AlmaLinux 10", "Rocky Linux 8", "Rocky Linux 9", "Rocky Linux 10"},
		"Oracle": {"Oracle Linux 7", "Oracle Linux 8", "Oracle Linux 9", "Oracle Linux 10"},
		"RedHat": {"Red Hat Enterprise Linux 7.0", "Red Hat Enterprise Linux 8.0", "Red Hat Enterprise Linux 9.0",
			"Red Hat Enterprise Linux 10.0"},
		"SUSE": {"openSUSE Leap 15 (64-bit)", "openSUSE Tumbleweed (64-bit)", "SUSE Linux Enterprise Server 12 (64-bit)",
			"SUSE Linux Enterprise Server 15 (64-bit)"},
		"Debian": {"Debian GNU/Linux 10 (64-bit)", "Debian GNU/Linux 11 (64-bit)", "Debian GNU/Linux 12 (64-bit)",
			"Debian GNU/Linux 13 (64-bit)"},
		"Ubuntu": {"Ubuntu 16.04 (64-bit)", "Ubuntu 18.04 LTS", "Ubuntu 20.04 LTS", "Ubuntu 22.04 LTS", "Ubuntu 24.04 LTS"},
		"Windows": {"Windows 7 (32-bit)", "Windows 7 (64-bit)", "Windows 8 (32-bit)", "Windows 8 (64-bit)",
			"Windows 8.1 (64-bit)", "Windows 10 (32-bit)", "Windows 10 (64-bit)", "Windows 11 (64-bit)", "Windows XP SP3 (32-bit)",
			"Windows Server 2003 Enterprise Edition(32-bit)", "Windows Server 2003 Enterprise Edition(64-bit)",
			"Windows Server 2008 (32-bit)", "Windows Server 2008 (64-bit)", "Windows Server 2008 R2 (64-bit)",
			"Windows Server 2012 (64-bit)", "Windows Server 2012 R2 (64-bit)", "Windows Server 2016 (64-bit)",
			"Windows Server 2019 (64-bit)", "Windows Server 2022 (64-bit)", "Windows Server 2025 (64-bit)", "Windows PV"},
	}
	// Systems that were made for both.
	for _, f := range []struct {
		category, name string
		versions       []string
	}{
		{"CentOS", "CentOS", []string{"4.5", "4.6", "4.7", "4.8", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "5.8",
			"5.9", "6.0", "6.1", "6.2", "6.3", "6.4", "6.5"}},
		{"RedHat", "Red Hat Enterprise Linux", []string{"4.5", "4.8", "5.0", "5.4", "5.5", "5.6", "5.9", "6.0", "6.1", "6.2", "6.5"}},
		{"Oracle", "Oracle Enterprise Linux", []string{"5.0", "5.4", "5.6", "6.0", "6.5"}},
		{"Debian", "Debian GNU/Linux", []string{"5.0", "6", "7", "8", "9"}},
		{"SUSE", "SUSE Linux Enterprise Server", []string{"9 SP4", "10 SP4", "11", "11 SP1"}},
		{"Ubuntu", "Ubuntu", []string{"8.04", "10.04", "10.10", "11.04", "12.04", "14.04"}},
	} {
		for _, version := range f.versions {
			name := f.name + " " + version
			c[f.category] = append(c[f.category], name+bits32, name+bits64)
		}
	}
	return c
}

// CreateOSTypes adds OS types by category, leaves alone those that are there, and gives the ids of all by description.
func (s *Service) CreateOSTypes(ctx context.Context, types map[string][]string) (map[string]uid.OSType, error) {
	ids := map[string]uid.OSType{}
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		clear(ids)
		have, err := osTypes(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range have {
			ids[t.Description] = t.ID
		}
		known, err := categories(ctx, tx)
		if err != nil {
			return err
		}
		categoryIDs := map[string]uid.OSCategory{}
		for _, c := range known {
			categoryIDs[c.Name] = c.ID
		}
		var newCategories []categoryRow
		var newTypes []osTypeRow
		for _, category := range slices.Sorted(maps.Keys(types)) {
			if categoryIDs[category] == "" {
				categoryIDs[category] = uid.New[uid.OSCategory]()
				newCategories = append(newCategories, categoryRow{OSCategory: OSCategory{ID: categoryIDs[category], Name: category}})
			}
			for _, d := range types[category] {
				if ids[d] == "" {
					ids[d] = uid.New[uid.OSType]()
					newTypes = append(newTypes, osTypeRow{OSType: OSType{ID: ids[d], Category: categoryIDs[category], Description: d}})
				}
			}
		}
		if len(newCategories) > 0 {
			if err := insert(ctx, tx, &newCategories); err != nil {
				return err
			}
		}
		if len(newTypes) == 0 {
			return nil
		}
		return insert(ctx, tx, &newTypes)
	})
	return ids, err
}
