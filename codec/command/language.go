package command

// Language is the LanguageCode of a head.
type Language byte

// The codes that this package treats by name; the others keep their number.
const (
	// LanguageJava is what our requests carry: the reference proxy is a Java process and
	// every request it sends to a broker says so, so what brokers derive from it stays the same.
	LanguageJava  Language = 0
	LanguageOther Language = 7
	LanguageGo    Language = 9
)

// languageNames are in the order of their codes.
var languageNames = [...]string{
	"JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP",
	"OMS", "RUST", "NODE_JS",
}

func (l Language) String() string {
	if int(l) < len(languageNames) {
		return languageNames[l]
	}
	return languageNames[LanguageOther]
}

// languageOf is the code of a name, LanguageOther for an unknown one.
func languageOf(name []byte) Language {
	for i, n := range languageNames {
		if string(name) == n {
			return Language(i)
		}
	}
	return LanguageOther
}
