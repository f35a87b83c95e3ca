package house

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Names of the self-made certificate in the data folder. It signs itself, so the same file is what clients trust.
const (
	selfCert = "tls-local.crt"
	selfKey  = "tls-local.key"
)

// selfLife is how long a self-made certificate is valid; it is made anew in its last month.
const selfLife = 397 * 24 * time.Hour

// certificate loads the given pair, or the self-made local one, which is made when there is none.
func certificate(certFile, keyFile, dir string, now time.Time) (tls.Certificate, error) {
	if certFile != "" || keyFile != "" {
		if certFile == "" || keyFile == "" {
			return tls.Certificate{}, errors.New("--tls-cert and --tls-key belong together")
		}
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("load the TLS certificate: %w", err)
		}
		return pair, nil
	}
	certFile, keyFile = filepath.Join(dir, selfCert), filepath.Join(dir, selfKey)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err == nil && pair.Leaf != nil && now.Before(pair.Leaf.NotAfter.Add(-30*24*time.Hour)) {
		return pair, nil
	}
	if err := selfSign(certFile, keyFile, now); err != nil {
		return tls.Certificate{}, fmt.Errorf("make a local TLS certificate: %w", err)
	}
	return tls.LoadX509KeyPair(certFile, keyFile)
}

func selfSign(certFile, keyFile string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	template := x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "purser local certificate"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(selfLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if host != "" {
		template.DNSNames = append(template.DNSNames, host)
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}
