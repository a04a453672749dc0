package sending

import (
	"bytes"
	"fmt"
	"html"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/smtp"
	"strings"
	"time"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/setup"
)

func (n *Notifier) sendMail(t *texts) (bool, error) {
	settings, cfg := n.Integration.Settings, n.Cfg
	to := strings.FieldsFunc(contact.Text(settings, "addresses"), func(r rune) bool { return r == ',' || r == ';' || r == '\n' })
	for i := range to {
		to[i] = strings.Trim(strings.TrimSpace(to[i]), "<>")
	}
	if !cfg.SettingIsTrue("smtp.enabled") {
		return false, fmt.Errorf("SMTP not configured, check your grafana.ini config file's [smtp] section")
	}
	subject := t.expand(contact.Text(settings, "subject"), titleTemplate)
	body := t.expand(contact.Text(settings, "message"), messageTemplate)
	page := "<html><body><h1>" + html.EscapeString(subject) + "</h1>\n<p>" +
		strings.ReplaceAll(html.EscapeString(body), "\n", "<br>\n") + "</p>\n</body></html>\n"
	groups := [][]string{to}
	if !contact.Truth(settings, "singleEmail") {
		groups = nil
		for _, each := range to {
			groups = append(groups, []string{each})
		}
	}
	for _, group := range groups {
		if err := mail(cfg, group, subject, page); err != nil {
			return true, err
		}
	}
	return false, nil
}

// mail sends one message.
func mail(cfg *setup.Config, to []string, subject, page string) error {
	from, host := cfg.Setting("smtp.from_address", "admin@grafana.localhost"), cfg.Setting("smtp.host", "localhost:25")
	var message bytes.Buffer
	line := func(name, value string) {
		fmt.Fprintf(&message, "%s: %s\r\n", name, strings.NewReplacer("\r", "", "\n", " ").Replace(value))
	}
	line("From", fmt.Sprintf("%q <%s>", cfg.Setting("smtp.from_name", "Grafana"), from))
	line("To", strings.Join(to, ", "))
	line("Subject", mime.QEncoding.Encode("utf-8", subject))
	line("Date", time.Now().Format(time.RFC1123Z))
	line("MIME-Version", "1.0")
	line("Content-Type", "text/html; charset=UTF-8")
	line("Content-Transfer-Encoding", "quoted-printable")
	message.WriteString("\r\n")
	encoder := quotedprintable.NewWriter(&message)
	_, _ = encoder.Write([]byte(page))
	_ = encoder.Close()

	connection, err := net.DialTimeout("tcp", host, 10*time.Second)
	if err != nil {
		return err
	}
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	name, _, _ := net.SplitHostPort(host)
	client, err := smtp.NewClient(connection, name)
	if err != nil {
		return err
	}
	defer client.Close()
	if user := cfg.Setting("smtp.user", ""); user != "" {
		if err := client.Auth(smtp.PlainAuth("", user, cfg.Setting("smtp.password", ""), name)); err != nil {
			return err
		}
	}
	if err := client.Mail(from); err != nil {
		return err
	}
	for _, each := range to {
		if err := client.Rcpt(each); err != nil {
			return err
		}
	}
	writer, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := writer.Write(message.Bytes()); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return client.Quit()
}
