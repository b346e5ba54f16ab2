package idp

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/beevik/etree"
	xrv "github.com/mattermost/xml-roundtrip-validator"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

const (
	maxMessage = 256 << 10
	maxDepth   = 64
)

// The namespaces of SAML's elements.
const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
)

// Message is what somebody has brought. Nothing in it is believed.
type Message struct{ doc *etree.Document }

// Read reads a message in Base64. See [Rules.Believe] and [Rules.Logout].
func Read(encoded string) (Message, error) {
	doc, err := message(encoded)
	return Message{doc}, err
}

// message reads the XML of a message: without a document type and so without entities, without comments, which split texts, and with
// no ID twice.
func message(encoded string) (*etree.Document, error) {
	if len(encoded) > 2*maxMessage {
		return nil, errors.New("the message is too large")
	}
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil {
		return nil, errors.New("the message is not in Base64")
	}
	if err := plain(text, false); err != nil {
		return nil, err
	}
	if err := xrv.Validate(bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("the message can be read in two ways: %w", err)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(text); err != nil {
		return nil, err
	}
	if doc.Root() == nil {
		return nil, errors.New("the message is empty")
	}
	ids := map[string]bool{}
	return doc, each(doc.Root(), func(el *etree.Element) error {
		for _, a := range el.Attr {
			if !strings.EqualFold(a.Key, "id") {
				continue
			}
			if ids[a.Value] {
				return fmt.Errorf("two elements have the ID %q", a.Value)
			}
			ids[a.Value] = true
		}
		return nil
	})
}

// plain refuses what no message needs and what has fooled others.
func plain(text []byte, comments bool) error {
	if len(text) > maxMessage && !comments {
		return errors.New("the message is too large")
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	for depth := 0; ; {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the message is no XML: %w", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("the message has a document type")
		case xml.Comment:
			if !comments {
				return errors.New("the message has a comment")
			}
		case xml.ProcInst:
			if t.Target != "xml" {
				return errors.New("the message has a processing instruction")
			}
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return errors.New("the message is too deep")
			}
		case xml.EndElement:
			depth--
		}
	}
}

// each visits an element and all below it.
func each(el *etree.Element, visit func(*etree.Element) error) error {
	if err := visit(el); err != nil {
		return err
	}
	for _, child := range el.ChildElements() {
		if err := each(child, visit); err != nil {
			return err
		}
	}
	return nil
}

func is(el *etree.Element, ns, tag string) bool { return el.Tag == tag && el.NamespaceURI() == ns }

// count tells how many elements of a kind there are, at any depth.
func count(el *etree.Element, ns, tag string) (n int) {
	_ = each(el, func(e *etree.Element) error {
		if is(e, ns, tag) {
			n++
		}
		return nil
	})
	return n
}

func childrenOf(el *etree.Element, ns, tag string) (out []*etree.Element) {
	for _, child := range el.ChildElements() {
		if is(child, ns, tag) {
			out = append(out, child)
		}
	}
	return out
}

var errUnsigned = errors.New("it is not signed")

// verified gives an element as it was signed. Nothing of the element that was given is in it.
func (r Rules) verified(el *etree.Element) (*etree.Element, error) {
	signatures := childrenOf(el, dsig.Namespace, dsig.SignatureTag)
	switch {
	case len(signatures) == 0:
		return nil, errUnsigned
	case len(signatures) > 1:
		return nil, errors.New("it has two signatures")
	}
	if err := r.shape(signatures[0], el.SelectAttrValue("ID", "")); err != nil {
		return nil, err
	}
	ctx, err := etreeutils.NSBuildParentContext(el)
	if err != nil {
		return nil, err
	}
	if ctx, err = ctx.SubContext(el); err != nil {
		return nil, err
	}
	alone, err := etreeutils.NSDetatch(ctx, el)
	if err != nil {
		return nil, err
	}
	if len(r.Certificates) == 0 {
		return nil, errors.New("no certificate of the provider is known")
	}
	for _, c := range r.Certificates {
		v := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{c}})
		v.IdAttribute, v.Clock = "ID", dsig.NewFakeClockAt(r.Now)
		var signed *etree.Element
		if signed, err = v.Validate(alone); err == nil {
			return signed, nil
		}
	}
	return nil, fmt.Errorf("the signature is wrong: %w", err)
}

var (
	canonical = []string{
		string(dsig.CanonicalXML10ExclusiveAlgorithmId), string(dsig.CanonicalXML11AlgorithmId), string(dsig.CanonicalXML10RecAlgorithmId),
	}
	transforms = append([]string{string(dsig.EnvelopedSignatureAltorithmId)}, canonical...)
	methods    = []string{
		dsig.RSASHA256SignatureMethod, dsig.RSASHA384SignatureMethod, dsig.RSASHA512SignatureMethod,
		dsig.ECDSASHA256SignatureMethod, dsig.ECDSASHA384SignatureMethod, dsig.ECDSASHA512SignatureMethod,
	}
	digests = []string{
		"http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512",
	}
	oldMethods = []string{dsig.RSASHA1SignatureMethod, dsig.ECDSASHA1SignatureMethod}
	oldDigests = []string{"http://www.w3.org/2000/09/xmldsig#sha1"}
)

// shape refuses a signature that is not of exactly the element with that ID, or made in a way that is not safe.
func (r Rules) shape(signature *etree.Element, id string) error {
	one := func(el *etree.Element, tag string) *etree.Element {
		found := childrenOf(el, dsig.Namespace, tag)
		if len(found) != 1 {
			return etree.NewElement("none")
		}
		return found[0]
	}
	algorithm := func(el *etree.Element) string { return el.SelectAttrValue("Algorithm", "") }
	methods, digests := methods, digests
	if r.SHA1 {
		methods, digests = slices.Concat(methods, oldMethods), slices.Concat(digests, oldDigests)
	}
	info := one(signature, dsig.SignedInfoTag)
	reference := one(info, dsig.ReferenceTag)
	switch {
	case len(signature.ChildElements()) != 2+len(childrenOf(signature, dsig.Namespace, dsig.KeyInfoTag)) || len(info.ChildElements()) != 3:
		return errors.New("the signature has more in it, or less, than a signature has")
	case id == "" || reference.SelectAttrValue("URI", "") != "#"+id:
		return errors.New("the signature is of something else")
	case !slices.Contains(canonical, algorithm(one(info, dsig.CanonicalizationMethodTag))):
		return errors.New("the signature's canonicalization is none that is taken")
	case !slices.Contains(methods, algorithm(one(info, dsig.SignatureMethodTag))):
		return fmt.Errorf("the signature's method %q is none that is taken", algorithm(one(info, dsig.SignatureMethodTag)))
	case !slices.Contains(digests, algorithm(one(reference, dsig.DigestMethodTag))):
		return fmt.Errorf("the signature's digest %q is none that is taken", algorithm(one(reference, dsig.DigestMethodTag)))
	}
	for _, transform := range one(reference, dsig.TransformsTag).ChildElements() {
		if !slices.Contains(transforms, algorithm(transform)) {
			return errors.New("the signature has a transform that is not taken")
		}
	}
	return nil
}

// into reads an element.
func into(el *etree.Element, v any) error {
	doc := etree.NewDocument()
	doc.SetRoot(el.Copy())
	text, err := doc.WriteToBytes()
	if err != nil {
		return err
	}
	return xml.Unmarshal(text, v)
}
