// Package sql92 is RocketMQ's SQL92 message filter: an expression over the properties of a
// message, compiled once and evaluated for every message. It is a pure function of bytes; a
// Filter is immutable and safe for concurrent use. It knows neither messages nor subscriptions:
// who matches hands in a lookup of properties.
//
// The language, its refusals and its results are those of the reference,
// org.apache.rocketmq:rocketmq-filter:5.5.0 (filter.parser.SelectorParser, filter.expression.*),
// as broker.filter.ExpressionMessageFilter#isMatchedByCommitLog uses them: a message matches when
// the result is the Boolean TRUE. testdata/golden.txt holds the reference's answers.
//
// # Grammar
//
//	selector   = or , { any token } ;                    the rest is not even looked at, see below
//	or         = and , { "OR" , and } ;
//	and        = equality , { "AND" , equality } ;
//	equality   = comparison , { ( "=" | "<>" ) , comparison | "IS" , [ "NOT" ] , "NULL" } ;
//	comparison = unary , { ( ">" | ">=" | "<" | "<=" ) , unary
//	                     | [ "NOT" ] , ( "CONTAINS" | "STARTSWITH" | "ENDSWITH" ) , string
//	                     | [ "NOT" ] , "BETWEEN" , unary , "AND" , unary
//	                     | [ "NOT" ] , "IN" , "(" , string , { "," , string } , ")" } ;
//	unary      = ( "+" | "-" | "NOT" ) , unary | primary ;
//	primary    = string | integer | float | "TRUE" | "FALSE" | "NULL" | property | "(" , or , ")" ;
//
//	property   = ( letter | "_" | "$" ) , { letter | digit | "_" | "$" } ;  ASCII; case matters
//	integer    = "0" | nonzero , { digit } , [ "l" | "L" ] ;                at most 9223372036854775807
//	float      = digits , "." , [ digits ] , [ exponent ] | "." , digits , [ exponent ] | digits , exponent ;
//	exponent   = ( "e" | "E" ) , [ "+" | "-" ] , digits ;
//	string     = "'" , { any character but "'" , or two "'" that stand for one } , "'" ;   no other escapes
//	blank      = " " | tab | newline | return | form feed
//	           | "--" , { any but newline, return } , ( newline | return )
//	           | "/*" , ... , "*/" ;                                        do not nest
//
// Keywords are the quoted words in any case. There is no LIKE, no arithmetic, no hexadecimal and
// no octal literal. The longest token wins, so "1.5.2" is "1.5" and ".2", and "007" is "0", "0", "7".
//
// # What the grammar does not show
//
//   - The selector ends where it ends (SelectorParser#JmsSelector asks for no end of file): tokens
//     after it are ignored, but the first of them must be a token. "a = 0x10" is "a = 0", "a-b = 1"
//     is "a", and "a = 1 #" is refused. A word NOT there is an error, since it begins an operator.
//   - NOT and "-" bind tighter than any comparison: "NOT a = 1" is "(NOT a) = 1".
//   - A line comment needs the end of its line; without one "--" is two minus signs.
//   - A float literal must be positive (ConstantExpression#createFloat): 0.0 is refused.
//
// Refused though they fit the grammar (ComparisonExpression#check*, #create*; SelectorParser#asBooleanExpression):
//
//   - a result, or an operand of AND, OR or NOT, that is a number, a string or a negation;
//   - NULL beside = or <>; TRUE, FALSE or NULL on the left of = or <> with a number or string on the right;
//   - beside >, >=, <, <= and BETWEEN whatever is Boolean, and string literals;
//   - BETWEEN of two number literals, the first of which is greater;
//   - IN of what is not a property.
//
// # Evaluation
//
// Values are Integer (32 bits), Long, Double, String, Boolean and null. A property is a String, or null
// when the message lacks it. Logic is three-valued with null as unknown; AND and OR look at their
// operands from the left and stop at the first that decides. An evaluation can fail, and then it fails
// as a whole: "a = 5 OR TRUE" fails when a is 'x'. A failure does not match.
//
//   - A String beside a number becomes one of that number's type, as Integer.valueOf, Long.valueOf or
//     Double.valueOf would have it, or the evaluation fails: '1.5' > 1 fails, '3000000000' > 1 too.
//   - Of two Strings, = compares characters, and the orders compare as Doubles or fail.
//   - Numbers of different types meet in the wider; Doubles are in Java's total order, where NaN equals
//     itself, is above all others, and -0.0 is below 0.0.
//   - A String = a Boolean: 'true' in any case is TRUE, all else FALSE. A Boolean = a String fails. A
//     Boolean and a number are not equal.
//   - null = x is null, x = null is FALSE, null = null is TRUE; an order beside null is null.
//   - A property as a Boolean is FALSE, or null when it is missing; no text is TRUE.
//   - The negation of what is no number is null.
//   - IN of null is null; CONTAINS, STARTSWITH and ENDSWITH, and their NOT, are FALSE of null, of what is
//     no String, and of an empty search.
//
// Two things are ours. An expression nested deeper than DepthMax is refused, where the reference has
// its thread's stack for a limit (1 MiB is enough for 900 parentheses, not for 999), and long chains of
// AND and OR, on which its evaluation overflows, are no nesting here. And texts are compared as bytes,
// which is the same for valid UTF-8.
package sql92
