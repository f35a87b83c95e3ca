// Package authorisation proves who may do what: every operation of every contract is called as nobody, as other customers,
// as users with less, as partners and as the operator, and with others' ids in every parameter that takes one. Nothing
// leaks: an id of somebody else is answered exactly as one that does not exist.
//
// The table is complete by construction. Operations come from api/*.yaml; one without a row fails, and so does a row
// without an operation, a row marked "not built" whose operation answers, and an id parameter that nobody accounts for.
package authorisation

// may says who may do an operation.
type may int

const (
	holder   may = iota // users of an account who have the action
	known               // whoever is signed in
	self                // a user for itself, others with the action
	issuer              // the operator, and a partner for its customers
	operator            // the operator
	open                // anybody: the operation proves by itself who calls
)

// row is how an operation is called by who may: {kind} stands for the id of an own object of that kind (see world).
type row struct {
	may      may
	path     map[string]string // of path parameters that take no id
	query    string
	body     string
	header   map[string]string
	kinds    map[string]string // place of an id → kind, where names does not say it, or says another one
	plain    []string          // places that look like ids and are none of an account's
	ok       []int             // statuses that who may gets; none: 2xx
	read     bool              // changes nothing: its answers are compared before and after others were busy
	notBuilt bool              // there is no more to this row yet: it fails once the operation answers
}

// names are the kinds of ids by the names of parameters and fields.
var names = map[string]string{
	"order_id": "order", "resource_id": "resource", "resource_ids": "resource", "res_instance_id": "resource", "customer_id": "customer", "customer_ids": "customer",
	"sub_customer_id": "customer", "payer_account_id": "customer", "domain_id": "customer", "parent_id": "customer", "master_id": "customer", "coupon_id": "coupon",
	"discount_id": "discount", "trade_id": "trade", "top_up_id": "topup", "user_id": "user", "access_key": "key", "access_key_id": "key", "project_id": "region",
	"enterprise_project_id": "ep", "free_resource_id": "item", "free_resource_ids": "item", "webhook_id": "webhook", "contract_id": "contract", "job_id": "job", "instance_id": "instance", "invoice_id": "invoice",
}

// inProject are the kinds of objects that belong to an enterprise project.
var inProject = []string{"order", "payable", "cancellable", "refund", "resource", "instance", "ending", "changing", "trade", "package", "item", "ep", "metered", "waiting"}

const (
	server = `{"id":"1","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","period_type":2,"period_num":1,"subscription_num":1}`
	rated  = `{"id":"1","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","usage_factor":"Duration","usage_value":1,"usage_measure_id":4,"subscription_num":1}`
)

// rows are all operations. A new one is added with its contract.
var rows = map[string]row{
	// Operations Capability
	"ListServiceTypes":            {may: known, read: true},
	"ListResourceTypes":           {may: known, read: true},
	"ListServiceResources":        {may: known, read: true, query: "service_type_code=hws.service.type.ec2"},
	"ListUsageTypes":              {may: known, read: true},
	"ListMeasureUnits":            {may: known, read: true},
	"ListConversions":             {may: known, read: true},
	"ListResourceSpecs":           {may: known, read: true, body: `{"cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","region_code":"ap-southeast-1","charge_mode":"3","filters":[],"limit":10}`},
	"ListOnDemandResourceRatings": {read: true, body: `{"project_id":"{region}","product_infos":[` + rated + `]}`, plain: []string{"body.product_infos[].id"}},
	"ListRateOnPeriodDetail":      {read: true, body: `{"project_id":"{region}","product_infos":[` + server + `]}`, plain: []string{"body.product_infos[].id"}},
	"ListRenewRateOnPeriod":       {read: true, body: `{"resource_ids":["{resource}"],"period_type":2,"period_num":1}`},

	"ShowCustomerAccountBalances":  {read: true},
	"ShowCustomerExpenditureQuota": {read: true},
	"ListSubCustomerCoupons":       {read: true, plain: []string{"query:promotion_plan_id", "query:source_id"}},

	"ListCustomerOrders":       {read: true, plain: []string{"query:indirect_partner_id"}},
	"ShowCustomerOrderDetails": {read: true, plain: []string{"query:indirect_partner_id"}},
	"ListOrderDiscounts":       {read: true, query: "order_id={payable}"},
	"PayOrders": {
		body:  `{"order_id":"{payable}","use_coupon":"NO","use_discount":"NO"}`,
		kinds: map[string]string{"body.coupon_infos[].id": "coupon", "body.discount_infos[].id": "discount"},
	},
	"CancelCustomerOrder":             {body: `{"order_id":"{cancellable}"}`},
	"ShowRefundOrderDetails":          {read: true, query: "order_id={refund}", plain: []string{"query:indirect_partner_id"}},
	"ListPayPerUseCustomerResources":  {read: true, body: `{}`},
	"RenewalResources":                {body: `{"resource_ids":["{resource}"],"period_type":2,"period_num":1,"is_auto_pay":1}`},
	"CancelResourcesSubscription":     {body: `{"resource_ids":["{ending}"],"unsubscribe_type":1}`},
	"AutoRenewalResources":            {},
	"CancelAutoRenewalResources":      {},
	"UpdatePeriodToOnDemand":          {body: `{"operation":"SET_UP","resource_ids":["{resource}"]}`},
	"SetResourcesRenewConfig":         {body: `{"config_name":"DEDUCTION_DATE","config_value":"5"}`, ok: []int{200}},
	"ListFreeResourceInfos":           {read: true, body: `{}`, plain: []string{"body.product_id"}},
	"ListFreeResourceUsages":          {read: true, body: `{"free_resource_ids":["{item}"]}`},
	"ListFreeResourcesUsageRecords":   {read: true, query: "deduct_time_begin={day}&deduct_time_end={day}", plain: []string{"query:product_id"}},
	"ListResourceUsages":              {read: true},
	"ShowCustomerMonthlySum":          {read: true, query: "bill_cycle={month}"},
	"ListCustomerselfResourceRecords": {read: true, query: "cycle={month}", kinds: map[string]string{"query:trade_id": "order"}},
	"ListCustomerselfResourceRecordDetails": {
		read: true, body: `{"cycle":"{month}"}`,
	},
	"ShowMonthlySumOld": {read: true, query: "cycle={month}"},
	"ListCosts": {
		read: true, body: `{"time_condition":{"time_measure_id":2,"begin_time":"{month}","end_time":"{month}"},"groupby":[{"type":"dimension","key":"CLOUD_SERVICE_TYPE"}],"cost_type":"ORIGINAL_COST","amount_type":"PAYMENT_AMOUNT"}`,
	},
	"CreateEnterpriseProjectAuth": {},
	"ListInvoices":                {may: known, read: true, query: "start_time={day}T00:00:00Z&end_time={day}T23:59:59Z&offset=1&limit=10"},

	// Identity
	"KeystoneCreateUserTokenByPassword": {
		may: open, body: `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"{username}","password":"{password}","domain":{"name":"{account}"}}}}}}`,
		kinds: map[string]string{"body.auth.scope.domain.id": "customer", "body.auth.scope.project.id": "region", "body.auth.scope.project.domain.id": "customer"},
		plain: []string{"body.auth.identity.totp.user.id"}, ok: []int{201},
	},
	"KeystoneValidateToken":      {may: known, header: map[string]string{"X-Subject-Token": "{token}"}},
	"KeystoneCheckToken":         {may: known, header: map[string]string{"X-Subject-Token": "{token}"}},
	"KeystoneListAuthDomains":    {may: known, read: true},
	"KeystoneListAuthProjects":   {may: known, read: true},
	"KeystoneListProjects":       {may: known, read: true},
	"KeystoneListUsers":          {may: self, read: true},
	"GetCallerIdentity":          {may: known, read: true},
	"KeystoneUpdateUserByAdmin":  {body: `{"user":{"description":"x"}}`, kinds: map[string]string{"body.user.domain_id": "customer"}},
	"KeystoneUpdateUserPassword": {may: known, body: `{"user":{"original_password":"Wrong-Pass-12","password":"Another-7-Pass"}}`, ok: []int{400, 403}},
	"UpdateUserInformation":      {may: known, body: `{"user":{"email":"a@b.example"}}`, ok: []int{204, 403}},
	"ListPermanentAccessKeys":    {may: self, read: true},
	"CreatePermanentAccessKey":   {may: self, body: `{"credential":{"user_id":"{user2}"}}`},
	"ShowPermanentAccessKey":     {may: self},
	"UpdatePermanentAccessKey":   {may: self, body: `{"credential":{"description":"x"}}`},
	"DeletePermanentAccessKey":   {may: self, kinds: map[string]string{"path:access_key": "key2"}},
	"CreateTemporaryAccessKey":   {may: known, body: `{"auth":{"identity":{"methods":["token"],"token":{"duration_seconds":900}}}}`, plain: []string{"body.auth.identity.token.id", "body.auth.identity.assume_role.domain_id"}},

	// Enterprise projects
	"ListEnterpriseProject":             {read: true, kinds: map[string]string{"query:id": "ep"}},
	"CreateEnterpriseProject":           {body: `{"name":"more-{nonce}"}`},
	"ShowEnterpriseProject":             {read: true},
	"UpdateEnterpriseProject":           {body: `{"name":"renamed-{nonce}"}`},
	"DeleteEnterpriseProject":           {ok: []int{400}}, // it holds resources
	"SwitchEnterpriseProject":           {body: `{"action":"enable"}`},
	"ShowEnterpriseProjectQuota":        {read: true},
	"ShowResourceBindEnterpriseProject": {read: true, body: `{"resource_types":["ecs"]}`, kinds: map[string]string{"body.projects[]": "region"}},
	"MigrateResource":                   {body: `{"resource_id":"{resource}","resource_type":"ecs"}`, plain: []string{"body.region_id"}},
	"ListMigrationRecord":               {read: true},
	"ShowAssociatedResources":           {read: true, query: "project_id={region}&region_id=ap-southeast-1&resource_type=ecs", plain: []string{"query:region_id"}},
	"ListProviders":                     {may: known, read: true},
	"ListResourceMapping":               {may: known, read: true},
	"ShowEpConfigs":                     {may: known, read: true},

	// Cloud traces
	"ListTraces":         {read: true, query: "trace_type=system&trace_id={trace}", kinds: map[string]string{"query:trace_id": "trace"}},
	"ListOperations":     {read: true},
	"ListTraceResources": {read: true},
	"ListUserResources":  {read: true},
	"CreateTracker":      {body: `{"tracker_type":"data","tracker_name":"t{nonce}","data_bucket":{"data_bucket_name":"watched-{nonce}"}}`, plain: []string{"body.kms_id"}},
	"UpdateTracker":      {body: `{"tracker_type":"data","tracker_name":"{trackername}"}`, plain: []string{"body.kms_id"}},
	"ListTrackers":       {read: true},
	"DeleteTracker":      {query: "tracker_name={trackername2}"},
	"ListQuotas":         {read: true},
	"CheckObsBuckets":    {read: true, body: `{"buckets":[{"bucket_name":"nobodys-bucket","bucket_location":"ap-southeast-1"}]}`, plain: []string{"body.buckets[].kms_id"}},
	"CreateNotification": {body: `{"notification_name":"n{nonce}","operation_type":"complete"}`, plain: []string{"body.topic_id"}},
	"UpdateNotification": {
		body:  `{"notification_id":"{notice}","notification_name":"m{nonce}","operation_type":"complete","status":"disabled"}`,
		kinds: map[string]string{"body.notification_id": "notice"}, plain: []string{"body.topic_id"},
	},
	"DeleteNotification":      {query: "notification_id={notice2}", kinds: map[string]string{"query:notification_id": "notice2"}},
	"ListNotifications":       {read: true, path: map[string]string{"notification_type": "smn"}},
	"BatchCreateResourceTags": {path: map[string]string{"resource_type": "cts-tracker"}, kinds: map[string]string{"path:resource_id": "tracker"}, body: `{"tags":[{"key":"a","value":"b"}]}`},
	"BatchDeleteResourceTags": {path: map[string]string{"resource_type": "cts-tracker"}, kinds: map[string]string{"path:resource_id": "tracker"}, body: `{"tags":[{"key":"a"}]}`},

	// purser's own
	"ExportCatalogue":  {may: operator, read: true},
	"ImportCatalogue":  {may: operator, body: `{"files":[{"name":"units.yaml","text":"units: [x]\n"}]}`, ok: []int{400}},
	"ListRegions":      {may: known, read: true},
	"ListProducts":     {may: known, read: true, query: "limit=1"},
	"ListDiscounts":    {may: holder, read: true, query: "customer_id={customer}"},
	"GrantDiscount":    {may: issuer, body: `{"customer_id":"{customer}","name":"x","discount_type":607,"ratio":"0.9"}`},
	"WithdrawDiscount": {may: issuer, query: "customer_id={customer}", kinds: map[string]string{"path:discount_id": "discount2"}},

	"ListCustomers":        {may: operator, read: true},
	"CreateCustomer":       {may: issuer, body: `{"account_name":"acme-{nonce}","user_name":"anna"}`, plain: []string{"body.tax_id"}, kinds: map[string]string{"body.partner": "partner", "body.master": "master"}},
	"ShowCustomer":         {may: operator, read: true},
	"ChangeCustomer":       {may: operator, body: `{"tier":"V2"}`, plain: []string{"body.tax_id"}},
	"JoinMaster":           {may: operator, body: `{"master_id":"{master}","accounting":"independent"}`},
	"LeaveMaster":          {may: operator, ok: []int{204, 409}},
	"ListMembers":          {read: true},
	"TopUpCustomer":        {may: operator, body: `{"amount":"1","reference":"t-{nonce}"}`, plain: []string{"body.reference"}},
	"WithdrawFromCustomer": {may: operator, body: `{"amount":"1","reference":"w-{nonce}"}`, plain: []string{"body.reference"}},
	"GrantBonus":           {may: operator, body: `{"amount":"1","reference":"b-{nonce}"}`, plain: []string{"body.reference"}},
	"AdjustBalance":        {may: operator, body: `{"amount":"1","reference":"a-{nonce}"}`, plain: []string{"body.reference"}},
	"ListLedgerEntries":    {read: true},
	"ListTopUps":           {read: true},
	"BeginTopUp":           {body: `{"amount":"5","method":"card"}`},
	"ShowTopUp":            {},
	"TakePaymentCallback":  {may: open, path: map[string]string{"provider": "sandbox"}, body: `{}`, plain: []string{"body.event_id", "body.top_up_id", "body.reference"}, ok: []int{400, 401}},
	"PayInSandbox":         {kinds: map[string]string{"path:reference": "reference"}, body: `{"outcome":"succeed"}`},
	"ReleaseBooks":         {may: operator, ok: []int{204, 404, 409}},
	"IssueCoupons":         {may: issuer, body: `{"customer_ids":["{customer}"],"version":2,"face_value":"1"}`, plain: []string{"body.plan_id"}},
	"ActOnCoupon":          {may: issuer, body: `{"customer_id":"{customer}","action":"freeze"}`, kinds: map[string]string{"path:coupon_id": "coupon2"}},
	"GivePackage":          {may: operator, body: `{"customer_id":"{customer}","region":"ap-southeast-1","service":"hws.service.type.obs","resource_type":"hws.resource.type.obs","resource_spec":"obs.package.100gb","periods":3}`},

	"PlaceOrder":           {body: `{"enterprise_project_id":"{ep}","products":[` + server + `]}`, plain: []string{"body.products[].id", "body.products[].attached[].id"}},
	"ListWaitingOrders":    {may: operator, read: true},
	"ListCouponsOfOrder":   {read: true, kinds: map[string]string{"path:order_id": "payable"}},
	"ListDiscountsOfOrder": {read: true, kinds: map[string]string{"path:order_id": "payable"}},
	"JudgeOrder":           {may: operator, kinds: map[string]string{"path:order_id": "waiting"}, body: `{"customer_id":"{customer}","verdict":"confirm"}`},
	"ReportProvisioning": {
		may: operator, body: `{"customer_id":"{customer}","resources":[{"instance_id":"{instance}","resource_id":"{resource}"}]}`,
	},
	"PlaceCombinedOrders": {
		body:  `{"orders":[{"enterprise_project_id":"{ep}","products":[` + server + `]},{"enterprise_project_id":"{ep}","products":[` + server + `]}]}`,
		plain: []string{"body.orders[].products[].id", "body.orders[].products[].attached[].id"},
	},
	"CancelCombinedOrders": {},
	"PayTogether":          {body: `{"orders":[{"order_id":"{payable2}"}]}`},
	"ChangeResource":       {body: `{"resource_id":"{changing}","resource_spec":"s3.medium.2.linux"}`},

	"ShowMe":                {may: known, read: true},
	"ChangeMe":              {body: `{"alert_below":"1"}`},
	"PreviewUnsubscription": {read: true, body: `{"resource_ids":["{resource}"],"unsubscribe_type":1}`},

	"ListProjectGrants":  {read: true},
	"SetProjectGrant":    {body: `{"enterprise_project_id":"{ep}","user_name":"{username}","actions":["bss:order:view"]}`},
	"ListUserGroups":     {read: true},
	"SetUserGroup":       {body: `{"name":"g","user_names":["{username}"]}`},
	"ListProjectBudgets": {read: true},
	"SetProjectBudget":   {body: `{"budget":"100000"}`},
	"DropProjectBudget":  {},

	"ListInvoicePapers":  {read: true, kinds: map[string]string{"query:about": "customer"}},
	"ShowInvoicePaper":   {read: true},
	"ListInvoiceLines":   {read: true},
	"PrintInvoice":       {},
	"ShowInvoiceProfile": {read: true},
	"SetInvoiceProfile":  {body: `{"title":"Example Ltd"}`},
	"ListInvoiceIssuers": {may: operator, read: true},
	"SetInvoiceIssuer":   {may: operator, path: map[string]string{"code": "test"}, body: `{"name":"Example","countries":["XX"]}`, plain: []string{"body.tax_id"}},

	"ListContracts":    {read: true},
	"ApplyForContract": {body: `{"title":"Frame"}`, ok: []int{201, 409}},
	"DecideContract":   {body: `{"verdict":"withdraw"}`},

	"ListTaxRates":   {may: operator, read: true},
	"SetTaxRate":     {may: operator, body: `{"country":"XX","rate":"0.1"}`},
	"ListWebhooks":   {may: operator, read: true},
	"AddWebhook":     {may: operator, body: `{"url":"http://127.0.0.1:9/","topics":["none"]}`},
	"PingWebhooks":   {may: operator},
	"ListDeliveries": {may: operator, read: true},
	"RetryDelivery":  {may: operator, body: `{"webhook_id":"{webhook}","customer_id":"{customer}","message_id":"MS261123045912000ABCDEFGHIJKL"}`, plain: []string{"body.message_id"}, ok: []int{204, 404}},
	"ChangeWebhook":  {may: operator, body: `{"active":true}`},
	"RemoveWebhook":  {may: operator, kinds: map[string]string{"path:webhook_id": "webhook2"}},

	"AcceptUsage":      {may: operator, body: `[]`, ok: []int{200, 400}},
	"ListUsageRecords": {read: true, query: "start_time={hour}&end_time={later}", kinds: map[string]string{"query:resource_id": "metered"}},
	"ListQuarantine":   {may: operator, read: true},
	"ReplayUsage": {
		may: operator, body: `{"customer_id":"{customer}","action":"drop"}`, kinds: map[string]string{"path:id": "held"},
		plain: []string{"body.record.id", "body.record.customer_id", "body.record.enterprise_project_id", "body.record.resource_id"},
	},
	"ListUsageResources": {read: true, kinds: map[string]string{"query:resource_id": "metered"}},
	"RegisterUsageResource": {
		may: operator, body: `{"customer_id":"{customer}","resource_id":"{metered}","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","self_metered_by":"Duration"}`,
		kinds: map[string]string{"body.resource_id": "metered"},
	},
	"ActOnUsageResource": {may: operator, body: `{"customer_id":"{customer}","action":"stop"}`, kinds: map[string]string{"path:resource_id": "metered"}},
	"ListFeeRecords":     {read: true, query: "cycle={month}"},
	"ListClocks":         {may: operator, read: true},
	"MoveClock":          {may: operator, body: `{"customer_id":"{customer}","time":"2020-01-01T00:00:00Z"}`, ok: []int{400, 409}},
	"ListJobs":           {may: operator, read: true},
	"ShowHealth":         {may: operator, read: true},
	"ShowJob":            {may: operator, ok: []int{200, 404}},
	"ListParkedCloses":   {may: operator, read: true},
	"ListCloseProgress":  {may: operator, read: true},
	"ReplayMonth":        {may: operator, read: true, body: `{"customer_id":"{customer}","month":"2026-10"}`},
	"RetryClose":         {may: operator, body: `{"customer_id":"{customer}","cycle":"2020-01"}`, ok: []int{409}},
	"ExportFocus":        {read: true, query: "month={month}"},
	"ExportDetails":      {read: true, query: "month={month}"},
	"ExportSummary":      {query: "month={month}"},
	"ShowReport":         {may: operator, read: true, path: map[string]string{"report": "revenue"}},
}
