package openid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// GitHubSite is the site that "github" means.
const GitHubSite = "https://github.com"

// gitHubUser asks GitHub whose token it is. The address is the primary one, which must be verified.
func gitHubUser(ctx context.Context, p Provider, client *http.Client) (who Identity, _ error) {
	api := strings.TrimSuffix(p.Issuer, "/") + "/api/v3"
	if p.Issuer == GitHubSite {
		api = "https://api.github.com"
	}
	var user struct {
		ID int64 `json:"id"`
	}
	if err := gitHub(ctx, client, api+"/user", &user); err != nil {
		return who, err
	}
	var emails []struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	if err := gitHub(ctx, client, api+"/user/emails", &emails); err != nil {
		return who, err
	}
	for _, e := range emails {
		if e.Primary && e.Verified && user.ID != 0 && e.Email != "" && len(e.Email) <= 255 {
			return Identity{Subject: strconv.FormatInt(user.ID, 10), Email: e.Email}, nil
		}
	}
	return who, errors.New("GitHub tells no primary e-mail address of the user that it has verified")
}

func gitHub(ctx context.Context, client *http.Client, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/vnd.github+json")
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GitHub answers %s", answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
